"""Which designations would be the same in the year before or after, and which under other conventions of the index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, InputError, SpecError
from geoplan.risk import risk_index, scores_are_relative
from geoplan.risk.draws import FACTORS, Choices, chunks_of, each_chunk, scored
from geoplan.risk.experiment import Experiment
from geoplan.risk.methods import How, between_domains, inside_domain, inside_part
from geoplan.specs import CombineSpec, DomainSpec, IndexSpec
from geoplan.specs.index import Aggregation, Normalisation
from geoplan.targeting.noise import experiment_of, index_values
from geoplan.targeting.ready import Given, Ready, ready_for, with_memory
from geoplan.targeting.rules import Selection
from geoplan.targeting.verdicts import Verdict

__all__ = ["GROUPS", "Stability", "stability"]

#: What is varied, in the order of the columns.
GROUPS = ("years", "weights", "left_out", "normalisations", "aggregations")
_NORMALISATIONS = ("relative", "rank_exponential", "percentile", "z_score", "min_max", "borda", "normal_scores")
_AGGREGATIONS = ("arithmetic", "geometric", "harmonic")
_WORDS = {
    "years": "other years",
    "weights": "other weights",
    "left_out": "one indicator left out",
    "normalisations": "other normalisations",
    "aggregations": "other aggregations",
}


@dataclass(frozen=True)
class Stability:
    """Which designations stay under variants of what they stand on.

    Attributes
    ----------
    table
        Areas × groups of variants (``years``, ``weights``, ``left_out``, ``normalisations``, ``aggregations``; those
        of which there is a variant): share of the variants in which the area has the chief status, of those in which
        that can be told; NaN where it can in none.
    same
        The same: share of the variants with today's outcome; NaN also where today's is not known.
    variants
        One row a variant, all draws of weights as one: ``group, variant, variants`` (int: how many it stands for),
        ``designated`` (float: areas that have the status, the mean over them), ``into``, ``out`` (float: areas that do
        not have it today and have it then, and the other way round), ``unknown`` (float: areas of which nobody can
        tell then).
    flips
        One row an area and named variant in which it changes sides: ``group, variant, area_id, to`` (``in``, ``out``).
    failed
        ``group, variant, reason, variants`` (int): variants that nothing could be made of.
    varied
        In words, by group.
    selection
        What the rule says today.
    """

    table: pd.DataFrame
    same: pd.DataFrame
    variants: pd.DataFrame
    flips: pd.DataFrame
    failed: pd.DataFrame
    varied: Mapping[str, str]
    selection: Selection = field(repr=False)

    def flipping(self, group: str | None = None) -> list[str]:
        """Return the areas that change sides in any variant of a group, or of all.

        Raises
        ------
        SpecError
            When there is no variant of such a group.
        """
        if group is not None and group not in self.same:
            raise checks.unknown_name("group of variants", group, list(self.same))
        own = self.same if group is None else self.same[[group]]
        return list(self.same.index[(own < 1).any(axis=1)])

    def lines(self, *, names: Mapping[str, str] | pd.Series | None = None, language: str = "en") -> list[str]:
        """Say in sentences what was varied, which areas change sides, and what could not be made.

        Parameters
        ----------
        names
            Code → name; codes when left out.
        language
            Of the rule's title.
        """
        called = {} if names is None else dict(names)
        found = self.selection
        said = [f"{found.rule.title.to(language)}, {found.period}: {len(found.chosen)} of {len(self.same)} areas"]
        for group in self.same:
            rows = self.variants[self.variants["group"] == group]
            many = int(rows["variants"].sum())
            head = f"{_WORDS[group]} ({self.varied[group]}; {many} {'variant' if many == 1 else 'variants'})"
            flipping = self.flipping(group)
            told = [self._told(code, group, called) for code in flipping]
            said.append(f"{head}: " + ("; ".join(told) if told else "no area changes sides"))
            said += [
                f"{_WORDS[group]}, {row.variant}: {row.unknown:g} areas not known"
                for row in rows.itertuples()
                if row.unknown
            ]
        if self.same.columns.empty:
            said.append("There is nothing to vary: no other year, and no index")
        said += [f"{_WORDS[row.group]}, {row.variant}: not made, {row.reason}" for row in self.failed.itertuples()]
        return said

    def _told(self, code: str, group: str, called: Mapping[str, str]) -> str:
        share = f"{100 * self.same.loc[code, group]:.0f} %"
        side = "in" if self.selection.table.loc[code, "qualified"] else "out"
        return f"{called.get(code, code)} ({side} today, and in {share} of the variants)"


def stability(
    selection: Selection,
    *,
    earlier: pd.DataFrame | None = None,
    periods: Iterable[str | int] | None = None,
    weight_draws: int = 200,
    concentration: float = 50.0,
    normalisations: Iterable[str] | None = None,
    aggregations: Iterable[str] | None = None,
    groups: pd.Series | None = None,
    index_reference_ids: list[str] | None = None,
    seed: int = 1,
) -> Stability:
    r"""Put the same rule to other years, and to the index under other conventions.

    Where :func:`~geoplan.targeting.certainty.designation_certainty` asks what chance in the counts can do, this asks
    what choices do; nothing here is a probability. Every figure stays as it is.

    Parameters
    ----------
    selection
        From :func:`~geoplan.targeting.select`.
    earlier
        The published or earlier results that the selection was made with.
    periods
        Other periods of the table; the one before and the one after when left out. Limits are those of each year, where
        the rule states them or references were handed in for it; the memory of the years before goes with it.
    weight_draws
        So many draws of the index's weights; none for 0.
    concentration
        Of the Dirichlet distribution around the index's weights, as ``weights_concentration`` of
        :func:`~geoplan.risk.rank_uncertainty`.
    normalisations, aggregations
        Each is put in the place of the index's own, wherever indicators are normalised, and wherever something is
        combined; all that may fit when left out. One that does not fit is told in ``failed``.
    groups, index_reference_ids
        Where an index was handed in: as it had them; the reference areas are those of the selection when left out.
    seed
        Of the weights.

    Returns
    -------
    Stability

    Raises
    ------
    SpecError
        When a period, normalisation or aggregation is unknown, a number is out of its range, or the selection does not
        follow from its table and ``earlier``.

    Notes
    -----
    An index under other conventions has another scale. A criterion that compares the score with a number, or with a
    multiple of the city's, has no meaning on it, and such a variant is refused; with the city's value itself it is
    compared, made under the same conventions. So are places among areas, and classes.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> from geoplan.targeting import select
    >>> run = open_run("scenarios/fjordbo.toml")
    >>> chosen = select(run.indicators(), "index_quintile", period=2012, index=run.index())
    >>> found = stability(chosen, weight_draws=50)
    >>> list(found.table), found.table.shape[0]
    (['weights', 'left_out', 'normalisations', 'aggregations'], 14)
    >>> found.failed[["variant", "reason"]].values.tolist()
    [['2011', "the city's value of 'resident_safety' is not known"]]
    >>> found.flipping("left_out")
    ['FB-01', 'FB-12']
    """
    _check(weight_draws, concentration, normalisations, aggregations)
    job = _Job(selection, earlier, groups, index_reference_ids)
    job.check()
    made = _Collected(selection)
    for period in job.periods(periods):
        made.add_one("years", period, lambda period=period: job.in_year(period))
    if any(criterion.index for criterion in selection.rule.criteria):
        job.vary_index(made, weight_draws, concentration, seed, normalisations, aggregations)
    return made.result({"weights": f"Dirichlet around the index's own, concentration {concentration:g}"})


def _check(
    draws: int, concentration: float, normalisations: Iterable[str] | None, aggregations: Iterable[str] | None
) -> None:
    faults = Faults()
    if draws < 0:
        what = f"{draws:g} draws"
        faults.add(SpecError(Fault(what=what, key="weight_draws", expected="a whole number from 0 up")))
    if not (np.isfinite(concentration) and concentration > 0):
        what = f"{concentration:g} is no concentration of weights"
        faults.add(SpecError(Fault(what=what, key="concentration", expected="a number above 0, such as 50")))
    for key, names, known in (
        ("normalisations", normalisations, get_args(Normalisation)),
        ("aggregations", aggregations, get_args(Aggregation)),
    ):
        for name in names or ():
            if name not in known:
                faults.add(checks.unknown_name(key[:-1], str(name), known, key=key))
    faults.raise_any()


class _Collected:
    """Verdicts of variants, put into tables."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        qualified = selection.table["qualified"]
        self.today = qualified.fillna(value=False).to_numpy(dtype=bool)
        self.known = qualified.notna().to_numpy()
        self.counts: dict[str, np.ndarray] = {}  # group → designated, told, same as today
        self.rows: list[tuple[Any, ...]] = []
        self.flips: list[tuple[str, str, str, str]] = []
        self.failed: list[tuple[str, str, str, int]] = []

    def add_one(self, group: str, variant: str, make: Any) -> None:
        """Add one named variant, or why it cannot be made."""
        try:
            verdict = make()
        except InputError as error:
            self.failed.append((group, variant, error.faults[0].what, 1))
            return
        self.add(group, variant, Verdict(verdict.sure[None], verdict.possible[None]))
        for places, to in ((verdict.sure & ~self.today, "in"), (~verdict.possible & self.today, "out")):
            for code in self.selection.table.index[places & self.known]:
                self.flips.append((group, variant, str(code), to))

    def add(self, group: str, variant: str, verdict: Verdict) -> None:
        """Add variants (× areas) that go by one name."""
        sure, told = verdict.sure, ~verdict.unknown
        counts = np.array([sure.sum(axis=0), told.sum(axis=0), (told & (sure == self.today)).sum(axis=0)])
        self.counts[group] = self.counts.get(group, 0) + counts
        into, out = sure & ~self.today & self.known, told & ~sure & self.today & self.known
        means = [float(np.sum(array, axis=1).mean()) for array in (sure, into, out, ~told)]
        self.rows.append((group, variant, len(sure), *means))

    def result(self, words: Mapping[str, str]) -> Stability:
        """Put all together."""
        areas = self.selection.table.index
        table, same = pd.DataFrame(index=areas), pd.DataFrame(index=areas)
        for group in GROUPS:
            if group in self.counts:
                designated, told, alike = self.counts[group].astype(float)
                with np.errstate(invalid="ignore"):
                    table[group] = designated / told
                    same[group] = np.where(self.known, alike / told, np.nan)
        columns = ["group", "variant", "variants", "designated", "into", "out", "unknown"]
        variants = pd.DataFrame(self.rows, columns=columns)
        varied = {
            group: words.get(group) or ", ".join(variants.loc[variants["group"] == group, "variant"]) for group in table
        }
        return Stability(
            table=table,
            same=same,
            variants=variants.astype({"variants": int, "designated": float}),
            flips=pd.DataFrame(self.flips, columns=["group", "variant", "area_id", "to"]),
            failed=pd.DataFrame(self.failed, columns=["group", "variant", "reason", "variants"]).astype(
                {"variants": int}
            ),
            varied=varied,
            selection=self.selection,
        )


@dataclass(frozen=True)
class _Job:
    """A selection, and what is needed to put its rule to variants."""

    selection: Selection
    earlier: pd.DataFrame | None
    groups: pd.Series | None
    reference_ids: list[str] | None

    @property
    def given(self) -> Given:
        """What the rule was applied to."""
        return self.selection.given

    @property
    def ready(self) -> Ready:
        """The rule as it is today."""
        return self.selection.ready

    def check(self) -> None:
        """See to it that today's outcome follows from the table and earlier lists.

        Raises
        ------
        SpecError
            When it does not.
        """
        found = self._judged(with_memory(self.selection.rule, self.given, self.selection.period, self.earlier)[0])
        if not found.series(self.ready.areas).equals(self.selection.table["qualified"]):
            what = "the selection does not follow from its table and the earlier results that were handed in"
            raise SpecError(Fault(what=what, key="earlier", expected="the results that `select` was given"))

    def periods(self, asked: Iterable[str | int] | None) -> list[str]:
        """Return the periods to put the rule to: those asked for, or the neighbours of today's."""
        known, now = self.given.table.periods(), self.selection.period
        if asked is None:
            place = known.index(now)
            return [*known[max(place - 1, 0) : place], *known[place + 1 : place + 2]]
        periods = [str(period) for period in asked]
        for period in periods:
            if period not in known:
                raise checks.unknown_name("period of the table", period, known, key="periods")
        return [period for period in dict.fromkeys(periods) if period != now]

    def _judged(self, ready: Ready) -> Verdict:
        return ready.judge(ready.observed())[self.selection.rule.chief]

    def in_year(self, period: str) -> Verdict:
        """Put the rule to another period; an index that was handed in is made for it in the same way."""
        given = self.given
        handed = given.indices.get(self.selection.period)
        if handed is not None and period not in given.indices:
            made = self._indexed(handed.spec, period)
            given = replace(given, indices={**given.indices, period: made})
        return self._judged(with_memory(self.selection.rule, given, period, self.earlier)[0])

    def _indexed(self, spec: IndexSpec, period: str) -> Any:
        areas = self.given.indices[self.selection.period].ranking.index
        return risk_index(
            self.given.table,
            spec,
            period=period,
            area_ids=list(areas),
            reference_ids=self.given.reference_ids if self.reference_ids is None else self.reference_ids,
            groups=self.groups,
        )

    # ------------------------------------------------------------ the index

    def vary_index(
        self,
        made: _Collected,
        draws: int,
        concentration: float,
        seed: int,
        normalisations: Iterable[str] | None,
        aggregations: Iterable[str] | None,
    ) -> None:
        """Vary weights, indicators, normalisations and aggregations."""
        how: dict[str, Any] = {"groups": self.groups, "reference_ids": self.reference_ids}
        experiment, table, at = experiment_of(self.ready, self.given, concentration=concentration, **how)
        through = _Through(self.ready, experiment, at)
        if draws:
            made.add("weights", "drawn", through.weights(draws, seed, made))
        names = experiment.index.spec.indicators
        for place, name in enumerate(names if len(names) > 1 else ()):
            made.add_one("left_out", name, lambda place=place: through.without(place))
        spec = experiment.index.spec
        for group, asked, known in (
            ("normalisations", normalisations, _NORMALISATIONS),
            ("aggregations", aggregations, _AGGREGATIONS),
        ):
            for name, other in _others(spec, group[:-1], known if asked is None else tuple(asked)):
                made.add_one(group, name, lambda other=other: self._under(other, experiment, table))

    def _under(self, spec: IndexSpec, experiment: Experiment, table: Any) -> Verdict:
        """Judge with the index under another specification."""
        _must_be_comparable(self.ready, spec)
        period = self.selection.period
        own = experiment.index
        index = risk_index(
            table,
            spec,
            period=own.certificate.period,
            area_ids=list(own.ranking.index),
            reference_ids=self.given.reference_ids if self.reference_ids is None else self.reference_ids,
            groups=self.groups,
        )
        given = replace(self.given, indices={**self.given.indices, period: index})
        ready = ready_for(self.selection.rule, given, period, before=self.ready.before, fixed=self.ready.fixed)
        return self._judged(ready)


@dataclass(frozen=True)
class _Through:
    """Weights put through the index, and the rule to what comes out."""

    ready: Ready
    made: Experiment
    at: np.ndarray

    def weights(self, draws: int, seed: int, told: _Collected) -> Verdict:
        """Judge under drawn weights: draws × areas."""
        options, values = self.made.options, self.made.beliefs.value

        def work(chunk: slice, rngs: list[np.random.Generator]) -> Verdict:
            size = chunk.stop - chunk.start
            choices = options.draw(rngs[1:], size)
            verdict, problems = self._judged(np.broadcast_to(values, (size, *values.shape)), choices)
            for reason in sorted({str(text) for text in problems if text}):
                told.failed.append(("weights", "drawn", reason, int((problems == reason).sum())))
            return verdict

        chunks = chunks_of(draws, values.size)
        found = each_chunk(work, chunks, seed=seed, factors=FACTORS, threads=1)
        return Verdict(np.concatenate([v.sure for v in found]), np.concatenate([v.possible for v in found]))

    def without(self, place: int) -> Verdict:
        """Judge with one indicator left out.

        Raises
        ------
        SpecError
            When the index has no scores then.
        """
        options = replace(self.made.options, concentration=None, leave_one_out=True)
        as_it_is = np.zeros(1, dtype=int)
        choices = Choices(None, None, None, normalisation=as_it_is, aggregation=as_it_is, left_out=np.array([place]))
        if not any(place in group for group in options.groups):
            raise SpecError(Fault(what="it is part of a common factor, whose weights cannot be had without it"))
        verdict, problems = self._judged(self.made.beliefs.value[None], choices, options)
        if problems[0]:
            raise SpecError(Fault(what=str(problems[0])))
        return Verdict(verdict.sure[0], verdict.possible[0])

    def _judged(self, values: np.ndarray, choices: Choices, options: Any = None) -> tuple[Verdict, np.ndarray]:
        scores, problems = scored(self.made.scorer, values, options or self.made.options, choices)
        composites = scores[:, self.made.places]
        found = index_values(self.ready, self.made, composites, self.at)
        meets = dict(self.ready.observed())
        others = {name: self.ready.now.value[name].to_numpy() for name in self.ready.names if name not in found}
        found = {name: self._shifted(name, own) for name, own in found.items()}
        judged = self.ready.meets({**others, **found})
        shape = (len(values), len(self.ready.areas))
        for name in self.ready.names:
            own = judged[name] if name in found else meets[name]
            meets[name] = Verdict(np.broadcast_to(own.sure, shape), np.broadcast_to(own.possible, shape))
        chief = self.ready.judge(meets)[self.ready.rule.chief]
        return Verdict(np.broadcast_to(chief.sure, shape), np.broadcast_to(chief.possible, shape)), problems

    def _shifted(self, name: str, scores: np.ndarray) -> np.ndarray:
        """Move scores by as much as the city's average moves, where it is made of them and is what they are held to."""
        criterion = self.ready.rule.criterion(name)
        spec = self.made.index.spec
        if criterion.factor is None or scores_are_relative(spec):
            return scores
        people = self.made.index.ranking["population"].reindex(self.ready.areas).to_numpy(dtype=float)
        weights = np.nan_to_num(people) if np.isfinite(people).any() else np.ones(len(people))
        weights = np.where(np.isnan(scores), 0.0, weights)
        with np.errstate(invalid="ignore"):
            average = np.nansum(scores * weights, axis=1) / weights.sum(axis=1)
        limits = self.ready.limits.of[name].values()
        fixed = next((float(limit.value) for limit in limits if limit is not None), np.nan)
        return np.asarray(scores - float(criterion.factor) * average[:, None] + fixed)


def _others(spec: IndexSpec, what: str, names: Iterable[str]) -> Iterator[tuple[str, IndexSpec]]:
    """Yield the specifications with another normalisation or aggregation; not those that change nothing."""
    for name in names:
        other = _changed(spec, what, name)
        if _ways(other) != _ways(spec):
            yield name, other


def _ways(spec: IndexSpec) -> list[How]:
    """Return how everything is combined, the method's own ways filled in."""
    ways = [inside_part(spec, part.combine) for domain in spec.domains for part in domain.parts or (domain,)]
    ways += [inside_domain(spec, domain) for domain in spec.domains if domain.parts]
    return [*ways, between_domains(spec)]


def _changed(spec: IndexSpec, what: str, name: str) -> IndexSpec:
    """Put another normalisation of the indicators, or aggregation of everything, in the place of the index's own."""

    def put(combine: CombineSpec | None) -> CombineSpec | None:
        return None if combine is None else combine.model_copy(update={what: name})

    def of_domain(domain: DomainSpec) -> DomainSpec:
        parts = tuple(part.model_copy(update={"combine": put(part.combine)}) for part in domain.parts)
        own = domain.combine if what == "normalisation" and domain.parts else put(domain.combine)
        return domain.model_copy(update={"parts": parts, "combine": own})

    update: dict[str, Any] = {"inside": put(spec.inside), "domains": tuple(of_domain(item) for item in spec.domains)}
    if what == "aggregation":
        update["between"] = put(spec.between)
    return spec.model_copy(update=update)


def _must_be_comparable(ready: Ready, spec: IndexSpec) -> None:
    """Refuse to compare scores of another scale with a number that was meant for the index's own.

    Raises
    ------
    SpecError
        When a criterion does.
    """
    relative = scores_are_relative(spec)
    for criterion in ready.rule.criteria:
        if criterion.index != "score" or criterion.ranked or relative:
            continue
        if criterion.limit is not None or criterion.published or criterion.factor != 1:
            what = f"criterion '{criterion.id}' compares the score with a number, which has no meaning on another scale"
            raise SpecError(Fault(what=what))
