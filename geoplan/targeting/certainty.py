"""How sure is a designation? The figures of a rule drawn from their counts, and the rule applied to each draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.risk.draws import chunks_of, each_chunk
from geoplan.risk.shrinkage import Towards
from geoplan.risk.uncertainty import of_100
from geoplan.targeting.noise import Drawing, drawing_of
from geoplan.targeting.ready import Ready
from geoplan.targeting.rules import Selection, counted
from geoplan.targeting.verdicts import Verdict
from geoplan.targeting.wording import tip_text

__all__ = ["CLASSES_OF_CERTAINTY", "DesignationCertainty", "designation_certainty"]

CountNoise = Literal["posterior", "sampling"]
CLASSES_OF_CERTAINTY = ("clear_in", "borderline", "clear_out", "unknown")
_TAIL = 0.05
_SHOWN = 10  # areas that sentences name on each side
_WHOLE = {"city": "the city", "parent": "their parents", "neighbours": "their neighbours"}
_NOISE = {
    "posterior": "true rates given the counts (Beta, Gamma), drawn towards {whole}",
    "sampling": "binomial or Poisson noise around the observed rates",
}
_MEANS = {
    "posterior": "In so many draws the true rates, as far as the counts tell them, would meet the rule",
    "sampling": "In so many draws other counts of the same rates would meet the rule; they say nothing of true rates",
}


@dataclass(frozen=True)
class DesignationCertainty:
    """How sure the designations of a rule are, as far as chance in its counts goes.

    Attributes
    ----------
    table
        Index ``area_id``. Columns ``qualified`` (nullable boolean: as the figures stand), ``p_designated`` (share of
        the draws in which the area has the chief status; NaN where a missing figure leaves some draws open, or where
        the outcome stands on figures none of which is drawn), ``p_low`` and ``p_high`` (share of the draws in which it
        has the status for sure, and in which it may have it; they differ where draws are left open), ``class`` (text:
        ``clear_in``, ``borderline``, ``clear_out``; ``unknown`` where nobody can tell), ``draws`` (int: in which it can
        be told), ``open`` (int: in which a missing figure leaves it open), ``drawn`` (int: criteria of the
        chief status whose figure is drawn for it).
    statuses
        Areas × statuses: share of the draws in which the area has each, as ``p_designated``.
    criteria
        Areas × criteria: share of the draws in which each is met, of those in which that can be told; 0 or 1 where the
        figure is not drawn, see ``drawn``; NaN where it is not known.
    drawn
        Areas × criteria: whether the figure is drawn (bool).
    failed
        Columns ``reason`` and ``draws`` (int): draws in which the index gives some areas, or all, no score. Where an
        area's status can be told all the same, the draw counts.
    numbers
        How many areas have the chief status for sure, by draw (int); -1 in failed draws.
    draws
        Number of draws, failed ones among them.
    varied
        What was drawn, and how: ``counts``, ``limits``, ``memory``, ``seed``.
    without_noise
        Criterion, indicator of the index or ``population`` → number of areas whose known figure stays as it is.
    noise
        ``posterior`` or ``sampling``.
    borderline
        The shares between which an area is on the border, both included.
    selection
        What the figures as they stand say.
    """

    table: pd.DataFrame
    statuses: pd.DataFrame
    criteria: pd.DataFrame
    drawn: pd.DataFrame
    failed: pd.DataFrame
    numbers: np.ndarray = field(repr=False)
    draws: int
    varied: Mapping[str, str]
    without_noise: Mapping[str, int]
    noise: str
    borderline: tuple[float, float]
    selection: Selection = field(repr=False)

    def areas(self, name: str) -> list[str]:
        """Return the areas of a class.

        Raises
        ------
        SpecError
            When no class is called so.
        """
        if name not in CLASSES_OF_CERTAINTY:
            raise checks.unknown_name("class of certainty", name, CLASSES_OF_CERTAINTY)
        return list(self.table.index[self.table["class"] == name])

    @property
    def against(self) -> list[str]:
        """The areas that qualify and are clearly out by the draws, or do not and are clearly in."""
        qualified, found = self.table["qualified"], self.table["class"]
        yes, no = (qualified == True).fillna(value=False), (qualified == False).fillna(value=False)  # noqa: E712
        return list(self.table.index[(yes & (found == "clear_out")) | (no & (found == "clear_in"))])

    def near(self, most: int | None = None, *, language: str = "en") -> pd.DataFrame:
        """Return the areas whose designation is least sure, on both sides of the line.

        Parameters
        ----------
        most
            How many on each side; all that are on the border, or against their draws, when left out.
        language
            Of the labels in ``words``.

        Returns
        -------
        pandas.DataFrame
            Index ``area_id``: ``qualified, p_designated, class, flips, tips`` (which criteria would have to change),
            ``margin`` and ``margin_unit`` (by how much, where it is one; NaN and empty else), ``words``. Those that
            qualify first, the least likely first; then those that do not, the likeliest first; last those of which the
            figures as they stand do not tell.
        """
        found = self._sides(most)[["qualified", "p_designated", "class"]]
        found = found.join(self.selection.table[["flips", "tips"]])
        margins = self.selection.criteria.set_index(["area_id", "criterion"])[["margin", "margin_unit"]]
        found = found.join(margins, on=["area_id", "tips"])
        found["margin_unit"] = found["margin_unit"].fillna("")
        found["words"] = [self._tip(code, language) for code in found.index]
        return found.astype({"margin": float, "margin_unit": object, "words": object})

    def _sides(self, most: int | None) -> pd.DataFrame:
        """Return the rows of the areas whose designation is least sure, those that qualify first."""
        table = self.table
        if most is None:
            table = table[(table["class"] == "borderline") | table.index.isin(self.against)]
        sides = []
        for side in (True, False):
            own = table[(table["qualified"] == side).fillna(value=False).astype(bool) & table["p_low"].notna()]
            own = own.sort_values("p_low", ascending=side, kind="stable")
            sides.append(own if most is None else own.head(most))
        unknown = table[table["qualified"].isna() & table["p_low"].notna()].sort_values("p_low", ascending=False)
        return pd.concat([*sides, unknown if most is None else unknown.head(most)])

    def _tip(self, code: str, language: str) -> str:
        found = self.selection
        if found.table.loc[code, "qualified"] is pd.NA:
            return f"is not known as the figures stand, for want of {found.table.loc[code, 'settled_by']}"
        if found.table.loc[code, "flips"] is not pd.NA:
            return tip_text(found, code, language)
        side = "qualifies" if found.table.loc[code, "qualified"] else "does not qualify"
        return f"{side}, and no change of a few of its own figures alters that"

    def _how_many(self) -> str:
        known = self.numbers[self.numbers >= 0]
        if not len(known):
            return ""
        low, high = np.quantile(known, [_TAIL, 1 - _TAIL], method="inverted_cdf")
        return f"; in 9 of 10 draws it is {low:g}" + (f" to {high:g}" if low < high else "")

    def lines(self, *, names: Mapping[str, str] | pd.Series | None = None, language: str = "en") -> list[str]:
        """Say in sentences what was drawn, how sure the designations are, and which areas are on the border.

        Parameters
        ----------
        names
            Code → name, such as ``areas["name"]``; codes when left out.
        language
            Of the labels.
        """
        called = {} if names is None else dict(names)
        rule, table = self.selection.rule, self.table
        said = [f"{rule.title.to(language)}, {self.selection.period}: {self.draws:,} draws, {self.varied['counts']}"]
        said.append(_MEANS[self.noise])
        if self.without_noise:
            told = [f"{name} ({many})" for name, many in self.without_noise.items()]
            said.append(f"Without noise, for want of counts (areas): {', '.join(told)}")
        said += [f"{row.draws:,} of {self.draws:,} draws: {row.reason}" for row in self.failed.itertuples()]
        said.append(f"{len(self.selection.chosen)} of {len(table)} areas qualify" + self._how_many())
        counts = table["class"].value_counts()
        words = {"clear_in": "clearly in", "borderline": "on the border", "clear_out": "clearly out"}
        words |= {"unknown": "not known"}
        said.append(", ".join(f"{words[name]}: {int(counts.get(name, 0))}" for name in CLASSES_OF_CERTAINTY))
        rows, against = self._sides(None), set(self.against)
        shown = rows.groupby("qualified", sort=False, dropna=False).head(_SHOWN)
        for code, row in shown.iterrows():
            chance = of_100(row["p_low"]) + (f" to {of_100(row['p_high'])}" if row["open"] else "")
            head = "Against its draws" if code in against else "On the border"
            tip = self._tip(str(code), language)
            said.append(f"{head}: {called.get(str(code), code)}, in {chance} draws; it {tip}")
        if len(rows) > len(shown):
            said.append(f"On the border, and not listed here: {len(rows) - len(shown)} areas")
        unknown = [str(called.get(code, code)) for code in self.areas("unknown")]
        return [*said, f"Not known: {', '.join(unknown)}"] if unknown else said


# ---------------------------------------------------------------- drawing


def designation_certainty(
    selection: Selection,
    *,
    draws: int = 2000,
    noise: CountNoise = "posterior",
    shrink_towards: Towards = "city",
    parents: pd.Series | None = None,
    neighbours: Any = None,
    borderline: tuple[float, float] = (0.1, 0.9),
    groups: pd.Series | None = None,
    index_reference_ids: list[str] | None = None,
    seed: int = 1,
    threads: int | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> DesignationCertainty:
    r"""Say how likely it is that each area meets a rule, as far as chance in the counts behind its figures goes.

    Every draw makes all figures anew and puts the rule to them: criteria, m of n, statuses on top of others. What the
    share of the draws means is a choice. With ``posterior`` the figures are the *true rates*, of which the counts are
    one outcome: the share is the probability that the area is of the kind that the rule is after. Counts of 20 people
    tell little, so a small area is drawn towards the whole, and one just beyond a limit that few areas reach may
    qualify by its figures and be out by most draws. The law counts the figures, and the area qualifies all the same.
    With ``sampling`` the figures are *other counts* under the observed rates: the share is how often chance alone would
    leave the outcome as it is, if the observed rate were the true one. It takes no other area into account, is near
    one half wherever a figure lies on its limit, and is no probability of anything about the area: among areas that
    are extreme by chance it is too sure: where true rates differ little, of areas said to be in with 0.7 not two in ten
    were. ``posterior`` is the default: its shares come true. In simulated towns of 1,000 areas 0.5 came true in 0.49 to
    0.52 and 0.7 in 0.68; 60 areas tell less of how much true rates differ, and there 0.5 came true in 0.3 to 0.5 and
    0.7 in 0.6 to 0.7. So read it to a tenth, and with care in a small town.

    The probability does not cover errors of registers, moved boundaries, choices of the rule's limits, or the years
    after (see :func:`~geoplan.targeting.stability.stability`).

    Parameters
    ----------
    selection
        From :func:`~geoplan.targeting.select`.
    draws
        How many.
    noise
        ``posterior`` or ``sampling``, see above; as in :func:`~geoplan.risk.rank_uncertainty`. Counts of several years
        are drawn as their sum, as if nobody had been counted twice: of people who stay in the same state for years the
        sum makes one surer than one may be. Means such as incomes, figures published without counts, and populations
        stay as they are.
    shrink_towards, parents, neighbours
        As in :func:`~geoplan.risk.rank_uncertainty`, of the posterior.
    borderline
        An area on the border is designated in at least the first and at most the second share of the draws.
    groups, index_reference_ids
        Where the rule asks for the index and it was handed in: as it had them; the reference areas are those of the
        selection when left out.
    seed
        The same seed gives the same draws, on any number of threads.
    threads
        Number of threads; one a core when left out.
    on_step
        Called with the number of draws done and the number of all.

    Returns
    -------
    DesignationCertainty

    Raises
    ------
    SpecError
        When a choice is unknown, a number is out of its range, or an index was handed in that does not follow from the
        selection's table.
    TableError
        When a share has more cases than its base.

    Notes
    -----
    Limits stay as they are in all draws, also those made of the areas themselves, for they stand on all counts
    together; so does what statuses remember of the years before. A figure is drawn once, however many criteria stand
    on it. The index is made anew in every draw, ranks and classes among its areas too, from the same draws that the
    criteria see; but a mean of several years and the figure of its last year, or two rates with counts in common, are
    drawn independently, and so are different indicators given their centres.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> from geoplan.targeting import select
    >>> run = open_run("scenarios/fjordbo.toml")
    >>> references = {"national": {"convicted_18_plus": 0.8}, "region": {"mean_gross_income_15_64": 300.0}}
    >>> chosen = select(run.indicators(), "dk_2021", period=2012, references=references)
    >>> sure = designation_certainty(chosen, draws=500)
    >>> sure.areas("clear_in"), sure.areas("borderline"), len(sure.areas("clear_out"))
    (['FB-12'], [], 13)
    >>> float(sure.criteria.loc["FB-01", "convicted"]) < 1
    True
    """
    _check(draws=draws, noise=noise, borderline=borderline, threads=threads)
    drawing = drawing_of(
        selection.ready,
        selection.given,
        noise=noise,
        towards=shrink_towards,
        parents=parents,
        neighbours=neighbours,
        groups=groups,
        reference_ids=index_reference_ids,
    )
    tally = _Tally(selection.ready, draws)

    def work(chunk: slice, rngs: list[np.random.Generator]) -> None:
        meets, problems = drawing.draw(rngs, chunk.stop - chunk.start)
        tally.add(chunk, meets, selection.ready.judge(meets), problems)

    each_chunk(
        work,
        chunks_of(draws, drawing.cells),
        seed=seed,
        factors=max(len(drawing.groups), 1),
        threads=threads,
        on_step=on_step,
    )
    varied = {
        "counts": _NOISE[noise].format(whole=_WHOLE[shrink_towards]),
        "limits": "as they are",
        "memory": "as it is",
        "seed": str(seed),
    }
    told = pd.DataFrame(sorted(tally.failed.items()), columns=["reason", "draws"]).astype({"draws": int})
    return DesignationCertainty(
        table=_table(selection, drawing, tally, borderline),
        statuses=pd.DataFrame({name: tally.share(name) for name in tally.statuses}, index=selection.ready.areas),
        criteria=pd.DataFrame({name: tally.met(name) for name in tally.criteria}, index=selection.ready.areas),
        drawn=drawing.drawn,
        failed=told,
        numbers=tally.numbers,
        draws=draws,
        varied=varied,
        without_noise=drawing.without_noise,
        noise=noise,
        borderline=(float(borderline[0]), float(borderline[1])),
        selection=selection,
    )


def _check(*, draws: int, noise: str, borderline: tuple[float, float], threads: int | None) -> None:
    faults = Faults()
    for name, value in (("draws", draws), ("threads", threads)):
        if value is not None and value < 1:
            faults.add(SpecError(Fault(what=f"{value:g} is too few", key=name, expected="a whole number from 1 up")))
    if noise not in get_args(CountNoise):
        faults.add(checks.unknown_name("kind of noise", str(noise), get_args(CountNoise), key="noise"))
    if len(borderline) != 2 or not 0 <= borderline[0] < borderline[1] <= 1:  # noqa: PLR2004  lowest and highest
        what, expected = f"{tuple(borderline)} are no two shares", "two numbers from 0 to 1, the lower first"
        faults.add(SpecError(Fault(what=what, key="borderline", expected=expected)))
    faults.raise_any()


class _Tally:
    """Whole numbers that add up to the same in any order of the chunks."""

    def __init__(self, ready: Ready, draws: int) -> None:
        self.statuses, self.criteria = [status.id for status in ready.rule.statuses], ready.names
        self.chief, self.lock = ready.rule.chief, Lock()
        self.failed: Counter[str] = Counter()
        self.numbers = np.zeros(draws, dtype=int)
        shape = (3, len(ready.areas))
        # Sure, told, and left open though no draw has failed.
        self.of = {("status", name): np.zeros(shape, dtype=np.int64) for name in self.statuses}
        self.of |= {("criterion", name): np.zeros(shape, dtype=np.int64) for name in self.criteria}

    def add(
        self, chunk: slice, meets: Mapping[str, Verdict], found: Mapping[str, Verdict], problems: np.ndarray
    ) -> None:
        """Count some draws."""
        failed, shape = (problems != "")[:, None], (len(problems), self.of["status", self.chief].shape[1])
        many = np.broadcast_to(found[self.chief].sure, shape).sum(axis=1)
        self.numbers[chunk] = np.where(failed[:, 0], -1, many)
        for kind, verdicts in (("status", found), ("criterion", meets)):
            for name, verdict in verdicts.items():
                sure, unknown = (np.broadcast_to(array, shape) for array in (verdict.sure, verdict.unknown))
                counts = [sure.sum(axis=0), (~unknown).sum(axis=0), (unknown & ~failed).sum(axis=0)]
                with self.lock:
                    self.of[kind, name] += np.array(counts)
        with self.lock:
            self.failed.update(str(problem) for problem in problems if problem)

    def bounds(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the shares of the draws in which areas have a status for sure, and in which they may have it."""
        sure, told, left = self.of["status", name]
        with np.errstate(invalid="ignore"):
            return sure / (told + left), (sure + left) / (told + left)

    def share(self, name: str) -> np.ndarray:
        """Return the share of the draws in which areas have a status, NaN where some are left open."""
        return np.where(self.of["status", name][2] > 0, np.nan, self.bounds(name)[0])

    def met(self, name: str) -> np.ndarray:
        """Return the share of the draws in which a criterion is met, of those in which that can be told."""
        sure, told, _ = self.of["criterion", name]
        with np.errstate(invalid="ignore"):
            return np.asarray(sure / told)


def _table(selection: Selection, drawing: Drawing, tally: _Tally, borderline: tuple[float, float]) -> pd.DataFrame:
    """Put the chief status's shares together, and name their classes."""
    ready, chief = selection.ready, selection.rule.chief
    low, high = tally.bounds(chief)
    _, told, left = tally.of["status", chief]
    drawn = drawing.drawn[counted(selection.rule, selection.rule.chief)].to_numpy(dtype=int).sum(axis=1)
    # Where the outcome stands on criteria and no figure of them is drawn, nothing is known of chance.
    nothing = np.zeros(len(ready.areas), dtype=bool)
    free = ready.judge({name: Verdict(nothing, ~nothing) for name in ready.names})[chief].unknown
    blind = free & (drawn == 0)
    first, last = borderline
    found = np.select(
        [blind | np.isnan(low), low > last, high < first, (low >= first) & (high <= last)],
        ["unknown", "clear_in", "clear_out", "borderline"],
        "unknown",
    )
    p_low, p_high = np.where(blind, np.nan, low), np.where(blind, np.nan, high)
    return pd.DataFrame(
        {
            "qualified": selection.table["qualified"],
            "p_designated": np.where(left > 0, np.nan, p_low),
            "p_low": p_low,
            "p_high": p_high,
            "class": found.astype(object),
            "draws": told.astype(int),
            "open": left.astype(int),
            "drawn": drawn,
        },
        index=ready.areas,
    )
