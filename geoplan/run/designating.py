"""What a run writes of the choice of areas: a map, a workbook with margins, and the log of decisions."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from geoplan.run.choosing import Targeting, choice_of, rule_of, selection_for
from geoplan.run.consequences import further_sheets
from geoplan.run.folder import atomic_file
from geoplan.run.granting import Paid, grant_lines, grant_sheets, grants_of
from geoplan.run.publishing import as_called
from geoplan.run.styling import outline_of
from geoplan.show import Sheet, Style, format_date, make_style, plot, plot_reached, texts, write_csv, write_workbook
from geoplan.show.printed import SAVED
from geoplan.show.texts import Texts
from geoplan.targeting import Selection, rule_lines
from geoplan.targeting.wording import tip_text

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = [
    "CHOICE_COLUMNS",
    "choice_columns",
    "decision_log",
    "decisions_of",
    "designation_map",
    "designation_style",
    "margins_table",
    "named_areas",
    "outcomes_of",
    "write_choice",
    "write_margins",
]

#: Outcomes from the fewest conditions to the most: a mark for the map, as the order of its classes.
OUTCOMES = {
    "designation_no": "",
    "designation_nominated": "○",
    "designation_no_borderline": "◔",
    "designation_yes_borderline": "◕",
    "designation_yes": "●",
}
_PALETTE = "YlGnBu"
_MOST_NAMED = 40
_MOST_NOTED = 6  # in the lines under the map


def outcomes_of(run: Run, found: Selection) -> pd.Series:
    """Return each area's outcome as a key of :data:`OUTCOMES`; empty where it cannot be told or does not apply."""
    table = found.table
    sure = run.certainty()
    borderline = pd.Series(data=False, index=table.index)
    if sure is not None and found is run.chosen_rule():
        borderline = (sure.table["class"] == "borderline").reindex(table.index, fill_value=False)
    qualified = table["qualified"].fillna(value=False).astype(bool)
    kind = pd.Series("designation_no", index=table.index, dtype=object)
    kind = kind.mask(borderline, "designation_no_borderline").mask(table["nominated"], "designation_nominated")
    kind = kind.mask(qualified, "designation_yes").mask(qualified & borderline, "designation_yes_borderline")
    outside = table["reason"].isin(["small_population", "not_listed"]) & ~table["nominated"] & ~borderline
    return kind.mask(table["qualified"].isna(), "").mask(outside, "")


def decisions_of(run: Run, found: Selection) -> pd.Series:
    """Return each area's outcome in words: one of those on the map, of every area."""
    words, kinds = texts(run.spec.language), outcomes_of(run, found)
    told = kinds.map({kind: words[kind] for kind in OUTCOMES}).where(kinds != "", words["designation_no"])
    return told.mask(found.table["qualified"].isna(), words["designation_unknown"])


def designation_style(run: Run, found: Selection, language: str | None = None) -> tuple[pd.Series, Style]:
    """Return the map of a rule: its outcomes in neutral words, the statute's own only as a quotation."""
    language = language or run.spec.language
    words = texts(language)
    kinds = outcomes_of(run, found)
    shown = [kind for kind in OUTCOMES if kind in set(kinds)]
    labels = {OUTCOMES[kind] or " ": words[kind] for kind in shown}
    numbers = kinds.map({kind: place for place, kind in enumerate(shown, start=1)}).astype(float)
    status = pd.Series("out_of_scope", index=kinds.index, dtype=object)
    status = status.mask(found.table["reason"] == "not_listed", "not_applicable")
    status = status.mask(found.table["qualified"].isna(), "not_collected")
    reason = found.table["reason"].map({name: words.verdicts[name] for name in ("small_population", "not_listed")})
    chief = found.rule.status(found.rule.chief)
    quoted = f' ("{chief.term.to(found.rule.language or language)}")' if chief.term else ""
    style = make_style(
        numbers,
        status=status,
        reason=reason.fillna(""),
        categories=labels or {" ": words["designation_no"]},
        title=found.rule.title.to(language),
        unit=f"{chief.label.to(language)}{quoted}",
        period=found.period,
        source=run.sources(),
        note=" ".join(
            [
                f"{words['law']}: {found.rule.law}.",
                *_nominations(run, found, kinds, words),
                *([run.spec.note.to(language)] if run.spec.note else []),
            ]
        ),
        date=format_date(run.spec.date, language),
        language=language,
    )
    return numbers, replace(style, colours=_colours(shown or ["designation_no"]))


def _nominations(run: Run, found: Selection, kinds: pd.Series, words: Texts) -> list[str]:
    """Say which areas were nominated that have another class on the map than that; none where these are many."""
    rows = found.table[found.table["nominated"] & (kinds != "designation_nominated")]
    if len(rows) > _MOST_NOTED:
        return []
    names = run.areas()["name"]
    return [
        f"{words['nominated_by']} {as_called(run, str(who))}: {', '.join(names[own.index])}."
        for who, own in rows.groupby("nominated_by", sort=True)
    ]


def _colours(shown: list[str]) -> tuple[str, ...]:
    """Return a colour an outcome, the same on every map whatever other outcomes there are."""
    every = make_style(pd.Series(dtype=float), categories={kind: kind for kind in OUTCOMES}, cmap=_PALETTE).colours
    return tuple(colour for kind, colour in zip(OUTCOMES, every, strict=True) if kind in shown)


def named_areas(found: Selection, kinds: pd.Series, words: Texts) -> dict[str, str]:
    """Return the areas that a map of a rule names, those that surely qualify first, with a word where it is not so.

    None where there are so many that their marks would cover the map; the workbook lists them.
    """
    beside = {
        "designation_yes": "",
        "designation_yes_borderline": f"({words.verdicts['borderline']})",
        "designation_nominated": f"({words.verdicts['nominated']})",
        "designation_no_borderline": f"({words.verdicts['not_borderline']})",
    }
    named = {code: text for kind, text in beside.items() for code in found.table.index[kinds == kind]}
    return named if len(named) <= _MOST_NAMED else {}


def designation_map(run: Run, rule: Selection | str | None = None, *, language: str | None = None) -> Figure:
    """Draw which areas a rule singles out, which are on the border, and which somebody has nominated.

    Parameters
    ----------
    run
        The run.
    rule
        What a rule says (see :func:`selection_for`), or the name of one; the scenario's own when left out.
    language
        ``sv``, ``da`` or ``en``; the run's when left out.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        When no rule is called so, or the scenario names none.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> figure = designation_map(open_run("scenarios/fjordbo_omraader.toml"), "dk_2021", language="en")
    >>> figure.axes[0].get_title(loc="left")
    'Danish lists of housing areas, from 2021'
    """
    found = rule if isinstance(rule, Selection) else _named_rule(run, rule)
    values, style = designation_style(run, found, language)
    kinds = outcomes_of(run, found)
    words = texts(style.language)
    named = named_areas(found, kinds, words)
    met = kinds[list(named)].isin(["designation_yes", "designation_yes_borderline"]).all()
    title = words["map_designations" if met else "map_numbered"]
    return plot(run.areas(), values, style=style, backdrop=run.backdrop(), outline=outline_of(run), named=named,
                named_title=title)  # fmt: skip


def _named_rule(run: Run, name: str | None) -> Selection:
    if name is None:
        return run.chosen_rule()
    asked = run.spec.targeting
    if asked is not None and name in (asked.rule, *asked.compare):
        return run.selections()[name]
    return selection_for(run, rule_of(run, name)[1])


# ---------------------------------------------------------------- tables


def decision_log(run: Run, found: Selection) -> pd.DataFrame:
    """Return the log of decisions: one row an area, with rule, date and who nominated it.

    Returns
    -------
    pandas.DataFrame
        ``area_id, name, population, decision`` (the outcome in words), ``because``, ``met``, ``open``, ``flips``,
        ``tips``, ``settled_by``, ``nominated_by, nominated_on, nomination_note, rule, law, authority, in_force, period,
        decided_on`` (the scenario's date); with certainty asked for, ``p_designated`` and ``certainty_class``.
    """
    words, rule = texts(run.spec.language), found.rule
    table = found.table
    labels = _criterion_labels(run, found)
    log = pd.DataFrame({"area_id": table.index, "name": run.areas()["name"].reindex(table.index).to_numpy()})
    log["population"] = table["population"].to_numpy()
    log["decision"] = decisions_of(run, found).to_numpy()
    log["because"] = table["reason"].map(words.verdicts).fillna("").to_numpy()
    for name in ("met", "open", "flips"):
        log[name] = table[name].to_numpy()
    log["tips"] = [" + ".join(labels.get(part, part) for part in text.split("+")) for text in table["tips"]]
    log["settled_by"] = [", ".join(labels.get(part, part) for part in text.split(", ")) for text in table["settled_by"]]
    sure = run.certainty()
    if sure is not None and found is run.chosen_rule():
        log["p_designated"] = sure.table["p_designated"].reindex(table.index).to_numpy()
        log["certainty_class"] = sure.table["class"].reindex(table.index).map(words.verdicts).to_numpy()
    for name in ("nominated_by", "nominated_on", "nomination_note"):
        log[name] = [as_called(run, str(value)) for value in table[name]]
    log["rule"], log["law"], log["authority"] = rule.title.to(run.spec.language), rule.law, rule.authority
    log["in_force"] = f"{rule.since or '–'} – {rule.until or ''}".strip()
    log["period"], log["decided_on"] = found.period, run.spec.date.isoformat()
    return log.assign(flips=pd.array(log["flips"], dtype="Int64"))


#: Columns of the long table that say what the rule makes of an area.
CHOICE_COLUMNS = ("rule", "decision", "because", "nearest", "p_designated")


def choice_columns(run: Run) -> pd.DataFrame:
    """Return what the scenario's rule makes of each area, with :data:`CHOICE_COLUMNS`, for ``geoplan explain``.

    ``nearest`` says in words what would change the outcome; empty where nothing near would.
    """
    found = run.chosen_rule()
    log = decision_log(run, found).set_index("area_id").reindex(columns=list(CHOICE_COLUMNS))
    near = found.table.index[found.table["flips"].notna()]
    log["nearest"] = pd.Series({code: tip_text(found, str(code), run.spec.language) for code in near}, dtype=object)
    return log.fillna({"nearest": ""})


def margins_table(run: Run, found: Selection) -> pd.DataFrame:
    """Return the figures, limits and margins of a selection for people: names, and words in the run's language."""
    words = texts(run.spec.language)
    table = found.criteria.rename(columns={"gap": "gap_limit"})
    table.insert(1, "name", table["area_id"].map(run.areas()["name"]))
    table["criterion"] = table["criterion"].map(_criterion_labels(run, found))
    table["unit"] = table["unit"].map(words.unit)
    met = {True: words.verdicts["yes"], False: words.verdicts["no"]}
    table["meets"] = [words.verdicts["unknown"] if pd.isna(value) else met[bool(value)] for value in table["meets"]]
    table["margin_unit"] = table["margin_unit"].map(lambda unit: words.verdicts.get(unit, words.unit(unit)))
    table["status"] = table["status"].map(words.statuses)
    table["reason"] = table["reason"].map(words.why).fillna("")
    table["limit_source"] = table["limit_source"].map(words.limit_source)
    table["method"] = [words.words.get(f"method_{text}") or words.method(text) for text in table["method"]]
    # Whole people stay whole, and points keep two decimals: one column of both has no format of its own.
    return table.assign(period=found.period, margin=table["margin"].round(2))


def _criterion_labels(run: Run, found: Selection) -> dict[str, str]:
    words = texts(run.spec.language)
    labels = {item.id: item.label.to(run.spec.language) for item in found.rule.criteria}
    return {**labels, "population": words.verdicts["population"], "earlier years": words.verdicts["earlier years"]}


# ---------------------------------------------------------------- files


def write_choice(run: Run, folder: Path) -> dict[str, Paid]:
    """Write ``choice.xlsx``, ``decisions.csv`` and, where the scenario says who is in need, the chart ``reached``.

    Returns
    -------
    dict
        The grants of the scenario, which went into the workbook.
    """
    spec, words = run.spec, texts(run.spec.language)
    asked, grants = choice_of(run), grants_of(run)
    own = run.chosen_rule()
    log, margins = decision_log(run, own), margins_table(run, own)
    decimals = {"population": 0, "met": 0, "open": 0, "flips": 0, "p_designated": 2}
    write_csv(
        folder / "decisions.csv",
        log,
        headings=words.words,
        decimals=decimals,
        separator=spec.output.csv.separator,
        decimal=spec.output.csv.decimal,
    )
    footer = f"{own.rule.title.to(spec.language)} · {own.period} · {run.sources()}"
    shown = {"value": 2, "limit": 2, "reference": 2, "gap_limit": 2, "numerator": 0, "denominator": 0, "years": 0}
    heads = {**words.words, "reason": words["why_missing"]}
    sheets = [
        # Rule, law and sources are the same in every row, or stand at the foot of the page: they are for the screen.
        Sheet(
            words["choice_sheet"],
            log,
            words.words,
            decimals,
            frozen=2,
            printed=log.columns.get_loc("rule"),
            footer=footer,
        ),
        Sheet(
            words["margins_sheet"],
            margins,
            heads,
            {**shown, "margin_total": 0},
            frozen=3,
            printed=margins.columns.get_loc("limit_source"),
            footer=footer,
        ),
        *(replace(sheet, footer=footer) for sheet in further_sheets(run, asked)),
        *(replace(sheet, footer=sheet.footer or footer) for sheet in grant_sheets(run, grants)),
        Sheet(words["notes_sheet"], _notes(run, asked, grants), widths=(38, 110)),
    ]
    write_workbook(folder / "choice.xlsx", sheets, title=own.rule.title.to(spec.language), date=spec.date)
    if asked.reached is not None:
        _write_reached(run, asked, folder / "reached")
    return grants


def _write_reached(run: Run, asked: Targeting, stem: Path) -> None:
    """Draw completeness and efficiency along the ranking, with the scenario's own choice marked."""
    assert asked.reached is not None  # noqa: S101  the caller has seen to it
    found = next(iter(asked.reached.results.values()))
    chosen, whole = found.figures.loc["chosen"], found.figures.loc["whole"]
    mark = (chosen["base"] / whole["base"], found.completeness, found.efficiency)
    language = run.spec.language
    with mpl.rc_context({"svg.hashsalt": "geoplan"}):
        figure = plot_reached(
            found.curve,
            best=found.best,
            chosen=mark if all(math.isfinite(part) for part in mark) else None,
            title=run.chosen_rule().rule.title.to(language),
            what=found.need.label.to(language),
            period=found.period,
            source=run.sources(),
            language=language,
        )
        for ending, options in SAVED.items():
            figure.savefig(stem.with_suffix(f".{ending}"), **options)


def write_margins(found: Selection, names: pd.Series, path: Path) -> None:
    """Write the figures, limits and margins of a selection as text, under their plain column names."""
    table = found.criteria
    table.insert(1, "name", table["area_id"].map(names))
    with atomic_file(path) as target:
        write_csv(target, table)


def _notes(run: Run, asked: Targeting, grants: dict[str, Paid]) -> pd.DataFrame:
    """Put down what was found in sentences, every rule book, and every convention."""
    words, language = texts(run.spec.language), run.spec.language
    names: Any = run.areas()["name"]
    told: list[tuple[str, list[str]]] = []
    for name, selection in asked.selections.items():
        told += [(name, selection.lines(names=names, language=language))]
        told += [(f"{name}: rule", rule_lines(selection.rule, language))]
        told += [(f"{name}: {head}", [text]) for head, text in selection.certificate.items()]
    if asked.certainty is not None:
        told.append(("certainty", asked.certainty.lines(names=names, language=language)))
    if asked.stability is not None:
        told.append(("stability", asked.stability.lines(names=names, language=language)))
    if asked.reached is not None:
        told.append(("reached", asked.reached.lines(language=language)))
        own = next(iter(asked.reached.results.values()))
        told.append(("reached by the first", own.lines(names=names, language=language)))
    if asked.history is not None:
        told.append(("history", asked.history.lines(names=names, language=language)))
        told += [(f"history: {head}", [text]) for head, text in asked.history.certificate.items()]
    if asked.boundaries is not None:
        told.append(("boundaries", asked.boundaries.lines(names=names, language=language)))
        told += [(f"boundaries: {head}", [text]) for head, text in asked.boundaries.certificate.items()]
    told += grant_lines(grants, names)
    empty = [item.id for item in run.spec.targeting.grants] if run.spec.targeting else []
    unpaid = [f"grant {name}: no area is to be paid" for name in empty if name not in grants]
    told.append(("not shown", [*asked.left_out, *(unpaid if run.spec.profile == "internal" else [])]))
    lines = [(head, text) for head, texts_ in told for text in texts_]
    return pd.DataFrame(lines, columns=[words["notes_sheet"], ""])
