"""Transfer: figures of some areas made into figures of others, by the shares of a crosswalk.

A figure is cut into pieces by the shares and the pieces are merged as :func:`~geoplan.places.roll_up` merges areas:
counts are added up, rates made anew, gaps keep their reason. What was cut is marked ``estimated``, and ``moved_share``
says how much of a figure was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, TableError
from geoplan.places.areas import must_have
from geoplan.places.crosswalks import Crosswalk
from geoplan.places.indicators import COLUMNS, EXTRAS, KNOWN, MISSING, IndicatorTable, JoinReport, roll_up
from geoplan.places.provenance import PROVENANCE, add_step, concat_tables
from geoplan.specs import IndicatorSpec

__all__ = ["moved_lines", "transfer", "transfer_report"]

SLIP = 1e-6  # published shares are rounded; what they miss 1 by beyond this is a slip
WHOLE = 1e-9
SHOWN = 5
A_SHARE = "a number above 0, at most 1"
FIGURE = ["indicator", "period"]


def transfer(
    table: IndicatorTable,
    crosswalk: Crosswalk | pd.DataFrame,
    *,
    minimum_coverage: float = 0.8,
) -> IndicatorTable:
    r"""Make figures of one set of areas into figures of another.

    Counts of target *t* are :math:`\sum_s a_{st} n_s`, with the shares *a* of the crosswalk; a rate is the transferred
    numerator over the transferred base, or, without counts, the mean of the sources' rates weighted by
    :math:`a_{st}` × base. Totals are conserved, but for what the crosswalk itself gives to no target.

    Parameters
    ----------
    table
        Indicators of the source areas. Areas that the crosswalk does not know are left out; see
        :func:`~geoplan.places.join_report`.
    crosswalk
        From :func:`~geoplan.places.crosswalk`, or a frame of ``from_id``, ``to_id``, ``share``.
    minimum_coverage
        Share of a target's base that must be known; below it the figure is missing, with the reason that holds for
        most of it. A count needs all of its pieces. A source that the table knows but not for this figure is
        ``not_collected``; one that it does not know at all is left out, and its targets are ``estimated``.

    Returns
    -------
    IndicatorTable
        Columns as of :func:`~geoplan.places.roll_up`, and ``method`` (with the step ``moved`` where anything was
        divided), ``moved_share`` (0-1; the part of the figure that comes from sources that were split, by numerator
        for counts and by base for rates; 0 when only whole areas were merged) and ``source`` where the table has it.
        ``status`` is ``estimated`` unless the target is made of whole sources. ``parts`` holds the pieces; one of a
        split source is called ``source > target``; they keep ``moved_share`` and ``method`` for later merges.
        ``children`` counts pieces, and an area that holds all pieces of a split one keeps their ``moved_share``,
        although nothing crossed its own border: both err on the careful side.

    Raises
    ------
    InputError
        When no code is on both sides, shares are faulty, or a rate without counts has no base to weigh it by.

    Examples
    --------
    >>> rows = [("a", "poor", "2012", 10.0, 100.0, 10.0, "observed"),
    ...         ("b", "poor", "2012", 90.0, 300.0, 30.0, "observed")]
    >>> poor = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> table = IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"poor": poor})
    >>> third = pd.DataFrame({"from_id": ["a", "b", "b"], "to_id": ["x", "x", "y"], "share": [1, 1 / 3, 2 / 3]})
    >>> transfer(table, third).data[["area_id", "numerator", "denominator", "value", "status"]].values.tolist()
    [['x', 40.0, 200.0, 20.0, 'estimated'], ['y', 60.0, 200.0, 30.0, 'estimated']]
    """
    pairs = _pairs(crosswalk)
    known, wanted = set(table.finest["parent"]), set(pairs["from_id"])
    if not known & wanted:
        raise checks.ids_match_nothing(sorted(known), sorted(wanted))
    kind = {name: item.kind for name, item in table.definitions.items()}
    known_pairs = pairs[pairs["from_id"].isin(known)]
    moved = _merged(
        _pieces(table, known_pairs[known_pairs["to_id"].notna()], kind), table.definitions, minimum_coverage
    )
    lacking = moved.data["area_id"].isin(pairs.loc[~pairs["from_id"].isin(known), "to_id"])
    moved.data.loc[lacking & (moved.data["status"] == "observed"), "status"] = "estimated"
    return moved


def _pairs(crosswalk: Crosswalk | pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a crosswalk after making sure that they are one."""
    if isinstance(crosswalk, Crosswalk):
        return crosswalk.data
    must_have(crosswalk, {"from_id": "from_id", "to_id": "to_id", "share": "share"})
    faults = Faults()
    crosswalk = crosswalk.assign(stated=crosswalk["share"], share=pd.to_numeric(crosswalk["share"], errors="coerce"))
    if "date" in crosswalk and len(crosswalk["date"].unique()) > 1:
        what = "the crosswalk tells of changes on several dates"
        faults.add(TableError(Fault(what=what, column="date", hint="apply them in order with `carry`")))
        faults.raise_any()
    wrong = ~((crosswalk["share"] > 0) & (crosswalk["share"] <= 1 + SLIP))
    for row in crosswalk[wrong].head(SHOWN).itertuples():
        fault = Fault(what=f"'{row.stated}' is not a share", area=str(row.from_id), expected=A_SHARE)
        faults.add(TableError(fault))
    check_shares(crosswalk.assign(date=pd.NaT), faults)
    faults.raise_any()
    pairs = crosswalk.groupby(["from_id", "to_id"], as_index=False, dropna=False)["share"].sum()
    return pairs.assign(share=pairs["share"].where(pairs["share"] < 1 - WHOLE, 1.0))


def _pieces(table: IndicatorTable, pairs: pd.DataFrame, kind: Mapping[str, str]) -> pd.DataFrame:
    """Cut every figure of the smallest areas by the shares: one row for each of them, target and figure."""
    finest = table.finest
    told = [name for name in (*PROVENANCE, "moved_share") if name in finest]
    rows = finest[[*COLUMNS, *told, "parent"]].rename(columns={"parent": "from_id"})
    told = [name for name in ("moved_share",) if name in table.data and name not in finest]
    if told:
        heads = table.data[["area_id", *FIGURE, *told]].rename(columns={"area_id": "from_id"})
        rows = rows.merge(heads, how="left")
    cut = pairs[["from_id", "to_id", "share"]].merge(rows, on="from_id")
    cut = concat_tables([cut, _absent(pairs, cut)])
    share, counts = cut["share"], cut["indicator"].map(kind) == "count"
    split = share < 1
    before = cut["moved_share"].fillna(0.0) if "moved_share" in cut else 0.0
    mean_base = cut["denominator"].groupby([cut["to_id"], *(cut[name] for name in FIGURE)]).transform("mean")
    cut["moved"] = np.where(split, 1.0, before)
    cut["hidden_base"] = mean_base * share
    cut["area_id"] = cut["area_id"].where(~split, cut["area_id"] + " > " + cut["to_id"])
    for name in ("numerator", "denominator"):
        cut[name] = cut[name] * share
    cut["value"] = cut["value"].where(~counts, cut["value"] * share)
    cut["status"] = cut["status"].where(~(split & cut["status"].isin(KNOWN)), "estimated")
    # What the figure consists of, to say how much of it was moved: a base can always be added up, a sum may cancel out.
    cut["size"] = cut["numerator"].where(counts, cut["denominator"].fillna(cut["numerator"])).abs()
    return cut


def _absent(pairs: pd.DataFrame, cut: pd.DataFrame) -> pd.DataFrame:
    """Return a row for every source that has none while others of the same target have the figure."""
    there = cut[["from_id", "to_id", *FIGURE]].drop_duplicates()
    found = there.groupby(FIGURE).size()
    lacking = found[found < len(pairs)].index.to_frame(index=False)
    wanted = pairs[["from_id", "to_id", "share"]].merge(lacking, how="cross")
    here = pd.MultiIndex.from_frame(there)
    absent = ~pd.MultiIndex.from_frame(wanted[["from_id", "to_id", *FIGURE]]).isin(here)
    begun = pd.MultiIndex.from_frame(wanted[["to_id", *FIGURE]]).isin(here.droplevel("from_id"))
    return wanted[absent & begun].assign(area_id=lambda rows: rows["from_id"], status="not_collected")


def _merged(pieces: pd.DataFrame, definitions: Mapping[str, IndicatorSpec], minimum_coverage: float) -> IndicatorTable:
    """Merge the pieces of each target, and say how much of it was moved and where it comes from."""
    goals = pieces.drop_duplicates("area_id").set_index("area_id")["to_id"]
    # A hidden base counts as its siblings' mean base, of which a piece has its share.
    hidden = ~pieces["status"].isin((*KNOWN, "not_applicable"))
    base = pieces["denominator"].where(~hidden | pieces["denominator"].notna(), pieces["hidden_base"])
    told_too = [name for name in PROVENANCE if name in pieces]
    cut = pieces[[*COLUMNS, *told_too]].assign(denominator=base)
    result = roll_up(IndicatorTable(cut, definitions), goals, minimum_coverage=minimum_coverage)
    keys = ["area_id", *FIGURE]
    known = pieces[pieces["status"].isin(KNOWN)].assign(area_id=lambda rows: rows["to_id"])
    sums = known.assign(moved_size=known["moved"] * known["size"], moved_part=known["moved"] * known["share"]).groupby(
        keys
    )
    total = sums[["size", "moved_size", "share", "moved_part"]].sum()
    by_size, by_share = total["moved_size"] / total["size"], total["moved_part"] / total["share"]
    told = pd.DataFrame({"moved_share": by_size.where(total["size"] > 0, by_share)})
    data = result.data.drop(columns=["moved_share"], errors="ignore").join(told, on=keys)
    steps = data["method"].astype(object) if "method" in data else pd.Series("rolled_up", index=data.index)
    data["method"] = add_step(steps, "moved").astype(object).where(data["moved_share"] > 0, steps).astype("category")
    missing = data["status"].isin(MISSING)
    data["moved_share"] = data["moved_share"].where(~missing, np.nan)
    columns = [*COLUMNS, *(name for name in EXTRAS if name in data)]
    parts = pieces[[*COLUMNS, *told_too]].assign(moved_share=pieces["moved"], parent=pieces["to_id"])
    if "method" in parts:
        steps = parts["method"].astype(object)
        parts["method"] = add_step(steps, "moved").astype(object).where(pieces["moved"] > 0, steps).astype("category")
    return IndicatorTable(data[columns], definitions, parts.reset_index(drop=True))


def check_shares(table: pd.DataFrame, faults: Faults) -> None:
    """Add a fault for each area whose shares do not add up to 1 on a date."""
    sums = table.groupby(["date", "from_id"], dropna=False)["share"].sum()
    wrong = sums[~((sums - 1).abs() <= SLIP)]
    for (day, area), total in wrong.head(SHOWN).items():
        on = "" if pd.isna(day) else f" on {day:%Y-%m-%d}"
        hint = "list what the area keeps, too; figures must not get lost" if total < 1 else None
        fault = Fault(what=f"the shares add up to {total:.6g}{on}", area=str(area), expected="1", hint=hint)
        faults.add(TableError(fault))
    rest = len(wrong) - SHOWN
    if rest > 0:
        faults.add(TableError(Fault(what=f"the shares of {rest} more areas do not add up to 1")))


def transfer_report(area_ids: Iterable[str], table: IndicatorTable, crosswalk: Crosswalk) -> JoinReport:
    """Say which areas get something of a table by a crosswalk, and which of the table's codes bring nothing."""
    reaching = crosswalk.data[crosswalk.data["to_id"].notna()]
    codes = set(table.data["area_id"])
    found = set(reaching.loc[reaching["from_id"].isin(codes), "to_id"])
    return JoinReport(
        matched=tuple(sorted(found)),
        without_data=tuple(sorted(set(area_ids) - found)),
        without_area=tuple(sorted(codes - set(reaching["from_id"]))),
    )


def moved_lines(table: IndicatorTable, period: str) -> list[str]:
    """Return a sentence on how much of a period's figures was moved over boundaries; none when nothing was."""
    if "moved_share" not in table.data:
        return []
    rows = table.data[(table.data["period"] == period) & table.data["status"].isin(KNOWN)]
    moved = rows.loc[rows["moved_share"] > 0, "moved_share"]
    if moved.empty:
        return []
    count = f"{len(moved):,} of {len(rows):,} figures hold parts of areas that were split, and are estimates"
    return [f"{count}: on average {moved.mean():.0%} of such a figure, at most {moved.max():.0%}"]
