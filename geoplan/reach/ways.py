"""Which ways one may move on, in which direction, and how fast: the tags of OpenStreetMap as a table.

Who may pass follows R5 6.9 (its labels for the United States, which are its defaults), so that results can be
compared: a tag for the mode wins over one for all vehicles, and that over ``access``; what a kind of way is for is as
specific as a tag for the mode, so a footway with ``access=private`` stays open on foot, while a street does not. Ways
for residents, customers and the like (``destination``, ``private``) are no thoroughfares and are left out unless asked
for.

Beyond R5: ferries; steps are slower than the street; a bicycle may be pushed wherever one may walk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan

from geoplan.errors import Fault, Faults, SpecError, did_you_mean, listed

__all__ = ["CUSTOMARY_KMH", "MODES", "Rate", "Rules", "duration_s", "maxspeed_kmh", "rules_for"]

MODES = ("walk", "cycle", "drive")

_LINKED = ("motorway", "trunk", "primary", "secondary", "tertiary")
_ROADS = (
    *_LINKED,
    *(f"{name}_link" for name in _LINKED),
    *("unclassified", "residential", "living_street", "road", "service", "track"),
)
_NO_CARS = ("pedestrian", "path", "bridleway", "cycleway", "footway", "steps", "platform", "corridor")

_WALK = 4.68  # km/h: R5's and OpenTripPlanner's 1.3 m/s
CUSTOMARY_KMH: dict[str, dict[str, float]] = {
    # Steps: half the speed on the flat, 0.65 m of ground in a second. A rule of thumb, not a measurement: how fast
    # people are depends on the pitch and the length of the stairs, and on themselves.
    "walk": {"other": _WALK, "steps": _WALK / 2, "ferry": 10.0},
    # An everyday cyclist with the stops of a street counted in; of the size that the free routers use.
    "cycle": {
        "other": 16.0,
        "cycleway": 18.0,
        "service": 14.0,
        "living_street": 12.0,
        "track": 12.0,
        "path": 12.0,
        "bridleway": 10.0,
        "footway": 10.0,
        "pedestrian": 8.0,
        "corridor": 4.0,
        "platform": 4.0,
        "pushed": 4.0,
        "steps": 2.0,
        "ferry": 10.0,
    },
    # What a car makes of a street without traffic. From motorway to service: the table of OSRM's profile for cars
    # (profiles/car.lua, version 4 of its interface), without its penalties for turns and traffic lights and without its
    # factor of 0.8 on speed limits. Tracks, other ways and ferries are geoplan's own choice.
    "drive": {
        "motorway": 90.0,
        "motorway_link": 45.0,
        "trunk": 85.0,
        "trunk_link": 40.0,
        "primary": 65.0,
        "primary_link": 30.0,
        "secondary": 55.0,
        "secondary_link": 25.0,
        "tertiary": 40.0,
        "tertiary_link": 20.0,
        "unclassified": 25.0,
        "residential": 25.0,
        "living_street": 10.0,
        "service": 15.0,
        "track": 10.0,
        "other": 20.0,
        "ferry": 10.0,
    },
}
_BY_HAND = {"pushed", "steps", "ferry", "corridor", "platform"}  # the cyclist's own speed is nothing to these
_FASTEST = 200.0  # km/h; beyond it a speed is a slip of the pen

_YES = {"yes", "1", "true", "official", "unknown", "public", "permissive", "designated", "lane", "track", "shared_lane"}
_YES |= {"share_busway", "crossing"}
_NO = {"no", "0", "false", "license", "restricted", "prohibited", "emergency", "use_sidepath", "dismount"}
_LIMITED = {"destination", "customers", "customer", "delivery", "forestry", "agricultural", "residents", "resident"}
_LIMITED |= {"private"}
_UNBUILT = {"construction", "abandoned", "removed", "proposed", "propossed", "unbuilt", "razed", "demolished"}
_NOWHERE = {"services", "rest_area", "raceway", "busway", "bus_guideway", "escape", "emergency_bay", "no"}
_AROUND = {"roundabout", "circular"}
_PAVED_SIDES = {"both", "left", "right"}

# What each kind of way is for; every mode has its chain of tags, the most specific first.
_CHAIN = {"walk": ("foot", "access"), "cycle": ("bicycle", "vehicle", "access"), "drive": ("car", "vehicle", "access")}
_FOR_ALL = {"access": "yes"}
_FOR_ENGINES = {"access": "yes", "bicycle": "no", "foot": "no"}
_FOR_CYCLES = {"access": "no", "foot": "yes", "bicycle": "yes"}
_FOR_FEET = {"access": "no", "foot": "yes"}
_MEANT = {
    **dict.fromkeys(_ROADS, _FOR_ALL),
    **dict.fromkeys(("motorway", "motorway_link"), _FOR_ENGINES),
    **dict.fromkeys(("path", "pedestrian", "bridleway", "cycleway", "ferry"), _FOR_CYCLES),
    **dict.fromkeys(("footway", "steps", "platform", "corridor"), _FOR_FEET),
}


@dataclass(frozen=True)
class Rate:
    """What a way is to a mode.

    Attributes
    ----------
    forward_kmh, backward_kmh
        Speed on the flat; NaN where one may not go that way.
    linkable
        Whether points may be linked to it.
    level
        Whether it keeps its own height, as bridges and tunnels do.
    sloped
        Whether slope changes the speed.
    duration_s
        Time for the whole way as its tag says; NaN without.
    """

    forward_kmh: float
    backward_kmh: float
    linkable: bool = True
    level: bool = False
    sloped: bool = True
    duration_s: float = nan

    @property
    def closed(self) -> bool:
        """Whether one may not go either way."""
        return not (isfinite(self.forward_kmh) or isfinite(self.backward_kmh))


_CLOSED = Rate(nan, nan)


@dataclass(frozen=True)
class Rules:
    """The rules of a mode.

    Attributes
    ----------
    mode
        ``"walk"``, ``"cycle"`` or ``"drive"``.
    kmh
        Speed by kind of way; ``"other"`` for every kind without its own. 0 leaves a kind out.
    destination
        Whether ways for residents, customers and the like may be used as others are.
    maxspeed
        Whether a tag with the speed limit wins over the table (driving).
    """

    mode: str
    kmh: Mapping[str, float]
    destination: bool = False
    maxspeed: bool = True

    def rate(self, tags: Mapping[str, str]) -> Rate:
        """Tell what a way with these tags is to the mode.

        Examples
        --------
        >>> rules_for("walk").rate({"highway": "residential", "oneway": "yes"}).backward_kmh
        4.68
        >>> rules_for("drive").rate({"highway": "residential", "oneway": "yes", "maxspeed": "30"})
        Rate(forward_kmh=30.0, backward_kmh=nan, linkable=True, level=False, sloped=False, duration_s=nan)
        """
        kind = _kind(tags)
        if kind is None:
            return _CLOSED
        forward, backward = (self._kmh(tags, kind, ahead=ahead) for ahead in (True, False))
        if not (isfinite(forward) or isfinite(backward)):
            return _CLOSED
        under = tags.get("tunnel", "no") not in {"no", "building_passage", "culvert"}
        fast = self.mode == "drive" and kind in {"motorway", "motorway_link"}
        return Rate(
            forward,
            backward,
            linkable=not (kind == "ferry" or fast or under),
            level=under or tags.get("bridge", "no") != "no",
            sloped=self.mode != "drive" and kind not in {"ferry", "steps"},
            duration_s=duration_s(tags.get("duration")) if kind == "ferry" else nan,
        )

    def _kmh(self, tags: Mapping[str, str], kind: str, *, ahead: bool) -> float:
        """Return the speed in one direction, NaN where there is no way."""
        open_to = {mode: self._open(tags, kind, mode, ahead=ahead) for mode in {self.mode, "walk"}}
        if open_to[self.mode]:
            speed = self.kmh.get(kind, self.kmh["other"])
            if self.mode == "drive" and self.maxspeed and kind != "ferry":
                speed = _limit(tags, ahead=ahead) or speed
        elif self.mode == "cycle" and open_to["walk"]:
            speed = self.kmh["steps" if kind == "steps" else "pushed"]
        else:
            return nan
        return speed if speed > 0 else nan

    def _open(self, tags: Mapping[str, str], kind: str, mode: str, *, ahead: bool) -> bool:
        against = _against(tags, kind, mode)
        if mode == "cycle":
            if _label(tags.get("bicycle:forward" if ahead else "bicycle:backward")) == "no":
                return False
            if _lane(tags, ahead=ahead, against=against):
                return True
        right = _right(tags, kind, mode)
        if right != "yes" and not (self.destination and right == "limited" and not _private(tags)):
            return False
        return against is None or against != ahead


def rules_for(
    mode: str,
    *,
    speed_kmh: float | None = None,
    speeds: Mapping[str, float] | None = None,
    destination: bool = False,
    maxspeed: bool = True,
) -> Rules:
    """Return the rules of a mode, with its table of speeds as asked for.

    Raises
    ------
    SpecError
        When there is no such mode, a kind of way is unknown, or a speed is none; all faults at once.
    """
    if mode not in MODES:
        raise SpecError(
            Fault(
                what=f"no mode is called '{mode}'", key="mode", expected=listed(MODES), hint=did_you_mean(mode, MODES)
            )
        )
    table, faults = dict(CUSTOMARY_KMH[mode]), Faults()
    known = {*_ROADS, *_NO_CARS, *table}
    if speed_kmh is not None:
        with faults.catch(key="speed_kmh"):
            table = _scaled(table, mode, _sound(speed_kmh, zero=False))
    for kind, speed in (speeds or {}).items():
        if kind not in known:
            hint = did_you_mean(str(kind), known)
            faults.add(SpecError(Fault(what=f"no kind of way is called '{kind}'", key=f"speeds.{kind}", hint=hint)))
            continue
        with faults.catch(key=f"speeds.{kind}"):
            table[kind] = _sound(speed, zero=True)
    faults.raise_any()
    return Rules(mode, table, destination=destination, maxspeed=maxspeed)


def _sound(speed: float, *, zero: bool) -> float:
    number = isinstance(speed, int | float) and not isinstance(speed, bool) and isfinite(speed)
    if not number or not (0 < speed <= _FASTEST or (zero and speed == 0)):
        expected = f"a speed in km/h, above 0 and up to {_FASTEST:.0f}" + (
            "; or 0 to leave the kind out" if zero else ""
        )
        raise SpecError(Fault(what=f"{speed!r} is not a speed", expected=expected))
    return float(speed)


def _scaled(table: dict[str, float], mode: str, speed: float) -> dict[str, float]:
    """Turn a table so that its usual way has the speed asked for, and the rest keeps its proportion."""
    if mode == "drive":
        raise SpecError(
            Fault(what="driving has no one speed", hint="give `speeds`, km/h by kind of way, such as {'motorway': 110}")
        )
    fixed = {"ferry"} if mode == "walk" else _BY_HAND
    return {kind: kmh if kind in fixed else kmh * speed / table["other"] for kind, kmh in table.items()}


# ---------------------------------------------------------------- who may pass


def _kind(tags: Mapping[str, str]) -> str | None:
    """Return the kind of a way, None when one cannot move on it."""
    highway = tags.get("highway", "").strip().lower()
    if "construction" in tags or "proposed" in tags or tags.get("cycleway") in _UNBUILT:
        return None
    if highway:
        return None if highway in _UNBUILT | _NOWHERE else highway
    if tags.get("public_transport") == "platform" or (
        tags.get("railway") == "platform" and tags.get("usage") != "tourism"
    ):
        return "platform"
    return "ferry" if tags.get("route") in {"ferry", "shuttle_train"} else None


def _label(value: str | None) -> str | None:
    """Return ``yes``, ``no`` or ``limited``; None for a value that says nothing. Of several values the first counts."""
    word = (value or "").split(";")[0].strip().lower()
    if word in _YES:
        return "yes"
    if word in _NO:
        return "no"
    return "limited" if word in _LIMITED else None


def _right(tags: Mapping[str, str], kind: str, mode: str) -> str:
    """Return the right of passage: the most specific of tags and of what the kind is for."""
    labels = dict(_MEANT.get(kind, _MEANT["road"]))
    said = {"car": _label(tags.get("motorcar")) or _label(tags.get("motor_vehicle"))}
    said |= {key: _label(tags.get(key)) for key in ("access", "foot", "vehicle", "bicycle")}
    if tags.get("sidewalk", "").lower() in _PAVED_SIDES:
        said["foot"] = "yes"
    for key in ("cycleway", "cycleway:both"):  # that there is no lane does not forbid cycling
        if _label(tags.get(key)) == "yes":
            said["bicycle"] = "yes"
    labels |= {key: label for key, label in said.items() if label}
    return next((labels[key] for key in _CHAIN[mode] if key in labels), "no")


def _private(tags: Mapping[str, str]) -> bool:
    return any(tags.get(key) == "private" for key in ("access", "foot", "vehicle", "bicycle", "motor_vehicle"))


def _against(tags: Mapping[str, str], kind: str, mode: str) -> bool | None:
    """Return the direction that is closed: False backward, True forward, None neither."""
    closed: bool | None = None
    if mode != "walk":
        if kind == "motorway" or tags.get("junction") in _AROUND:
            closed = False
        for key in ("oneway", "oneway:vehicle"):
            closed = _turned(tags.get(key), closed)
    return _turned(
        tags.get({"walk": "oneway:foot", "cycle": "oneway:bicycle", "drive": "oneway:motorcar"}[mode]), closed
    )


def _turned(value: str | None, closed: bool | None) -> bool | None:
    if value is None:
        return closed
    word = value.strip().lower()
    if word in {"yes", "true", "1"}:
        return False
    return True if word in {"-1", "reverse"} else None


def _lane(tags: Mapping[str, str], *, ahead: bool, against: bool | None) -> bool:
    """Whether bicycles have their own lane in a direction, on whatever way."""
    opposite = any(tags.get(key, "").startswith("opposite") for key in ("cycleway", "cycleway:left", "cycleway:right"))
    if opposite and against == ahead:
        return True
    side = tags.get("cycleway:right" if ahead else "cycleway:left")
    return _label(side) == "yes" and against != ahead


# ---------------------------------------------------------------- speeds and times in tags

_NUMBER = re.compile(r"^(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|kmph|mph|knots)?$")
_UNIT = {None: 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "kmph": 1.0, "mph": 1.609344, "knots": 1.852}
_NAMED = {"walk": 7.0, "none": 130.0}
_ZONES = {"living_street": 7.0, "urban": 50.0, "rural": 80.0, "trunk": 100.0, "motorway": 120.0}
_CLOCK = re.compile(r"^(\d{1,3}):([0-5]\d)(?::([0-5]\d))?$")
_ISO = re.compile(r"^P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$")


def maxspeed_kmh(value: str | None) -> float | None:
    """Read a speed limit; None where it says nothing that could be used.

    Examples
    --------
    >>> maxspeed_kmh("50"), round(maxspeed_kmh("30 mph"), 1), maxspeed_kmh("SE:urban"), maxspeed_kmh("signals")
    (50.0, 48.3, 50.0, None)
    """
    word = (value or "").split(";")[0].strip().lower()
    if found := _NUMBER.match(word):
        speed = float(found[1]) * _UNIT[found[2]]
        return speed if 0 < speed <= _FASTEST else None
    return _NAMED.get(word) or (_ZONES.get(word.split(":")[-1]) if ":" in word else None)


def _limit(tags: Mapping[str, str], *, ahead: bool) -> float | None:
    keys = ("maxspeed:motorcar", "maxspeed:forward" if ahead else "maxspeed:backward", "maxspeed")
    return next((speed for key in keys if (speed := maxspeed_kmh(tags.get(key)))), None)


def duration_s(value: str | None) -> float:
    """Read the time that a ferry takes: hours and minutes, minutes, or ISO 8601; NaN where it says none.

    Examples
    --------
    >>> duration_s("01:30"), duration_s("20"), duration_s("PT1H"), duration_s("soon")
    (5400.0, 1200.0, 3600.0, nan)
    """
    word = (value or "").strip().upper()
    seconds = nan
    if found := _CLOCK.match(word):
        seconds = int(found[1]) * 3600.0 + int(found[2]) * 60 + int(found[3] or 0)
    elif word.replace(".", "", 1).isdigit():
        seconds = float(word) * 60
    elif (found := _ISO.match(word)) and any(found.groups()):
        days, hours, minutes, rest = (int(part or 0) for part in found.groups())
        seconds = days * 86400.0 + hours * 3600 + minutes * 60 + rest
    return seconds if seconds > 0 else nan
