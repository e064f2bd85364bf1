"""Finding a scenario and opening it; nothing is computed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.run.story import Run
from geoplan.sources import Catalogue, home

__all__ = ["open_run"]


def open_run(scenario: str | Path, *, profile: Literal["internal", "public"] | None = None) -> Run:
    """Open a scenario; its layers are found, nothing is computed yet.

    Parameters
    ----------
    scenario
        A file in the ``scenarios/`` folder of a project. One that is not there is looked for in the sample that geoplan
        ships, so that ``scenarios/baseline.toml`` works anywhere.
    profile
        In place of the scenario's own: ``public`` shows only what has passed disclosure control.

    Raises
    ------
    SpecError
        When there is no such file, or it is faulty.

    Examples
    --------
    >>> open_run("scenarios/baseline.toml").name
    'baseline'
    """
    path = Path(scenario)
    if not path.is_file() and (home() / path).is_file():
        path = home() / path
    path = path.resolve()
    if not path.is_file():
        beside = [Path(scenario).with_name(other.name).as_posix() for other in path.parent.glob("*.toml")]
        hint = checks.did_you_mean(Path(scenario).as_posix(), beside)
        raise SpecError(Fault(what="there is no such scenario", file=str(scenario), hint=hint))
    if path.parent.name != "scenarios" or path.suffix != ".toml":
        expected = "a .toml file in the scenarios/ folder of a project, beside layers/ and maps/"
        raise SpecError(Fault(what="this is not where a scenario lies", file=str(scenario), expected=expected))
    catalogue = Catalogue(path.parent.parent)
    spec = catalogue.scenario(path.stem)
    if profile is not None:
        spec = spec.model_copy(update={"profile": profile})
    return Run(name=path.stem, path=path, catalogue=catalogue, spec=spec)
