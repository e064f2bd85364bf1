"""How sure a run's ranks are, as its scenario asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geoplan.errors import Fault, SpecError
from geoplan.places import IndicatorTable, parents_at
from geoplan.risk import RankUncertainty, neighbours, rank_uncertainty

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["uncertainty_of"]


def uncertainty_of(run: Run, table: IndicatorTable) -> RankUncertainty:
    """Draw what the index of a run leaves open.

    Raises
    ------
    SpecError
        When the scenario does not ask for it, names a level that it does not have, or asks what does not fit.
    """
    spec = run.spec.uncertainty
    if spec is None:
        raise SpecError(Fault(what="the scenario does not ask how sure ranks are", key="uncertainty"))
    towards: dict[str, Any] = {"shrink_towards": spec.towards}
    if spec.towards == "neighbours":
        towards["neighbours"] = neighbours(run.areas()).pairs
    elif spec.towards != "city":
        if spec.towards not in run.levels():
            what = f"no level of the scenario is called '{spec.towards}'"
            expected = f"city, neighbours, or one of {', '.join(run.levels())}"
            raise SpecError(Fault(what=what, key="uncertainty.towards", expected=expected))
        codes = list(run.areas(spec.towards).index)
        towards = {"shrink_towards": "parent", "parents": parents_at(run.membership(), list(run.areas().index), codes)}
    return rank_uncertainty(
        table,
        run.spec.index,
        period=run.spec.period,
        area_ids=list(run.areas().index),
        reference_ids=run.reference_members(),
        groups=run.groups(),
        draws=spec.draws,
        noise=spec.noise,
        **towards,
        weights_concentration=spec.weights_concentration,
        normalisations=spec.normalisations,
        aggregations=spec.aggregations,
        leave_one_out=spec.leave_one_out,
        level=spec.level,
        top=spec.top,
        line=spec.line,
        seed=run.spec.seed,
    )
