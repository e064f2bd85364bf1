"""Plain values as JSON text and back, exactly: what a record of times, streets or timetables may hold."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from geoplan.errors import Fault, InputError

__all__ = ["from_json", "to_json"]

_MARK = "$"  # JSON has no dates and no tuples: an object with one key that starts so stands for one
_BACK: dict[str, Callable[[Any], Any]] = {
    "$date": dt.date.fromisoformat,
    "$datetime": dt.datetime.fromisoformat,
    "$time": dt.time.fromisoformat,
    "$timedelta": lambda parts: dt.timedelta(*parts),
    "$float": float,
    "$tuple": tuple,
    "$pairs": dict,
}


def to_json(value: object, *, key: str) -> str:
    """Write a value as JSON; the same value always gives the same text.

    Parameters
    ----------
    value
        None, truth values, numbers, text, dates, times and spans of time; lists, tuples and mappings of them.
    key
        What the value is called in a fault.

    Raises
    ------
    InputError
        When something in it is none of these.

    Examples
    --------
    >>> import datetime
    >>> print(to_json({"date": datetime.date(2019, 5, 13), "window": (840, 900)}, key="record"))
    {"date": {"$date": "2019-05-13"}, "window": {"$tuple": [840, 900]}}
    """
    return json.dumps(_marked(value, key), ensure_ascii=False, allow_nan=False)


def from_json(text: str) -> Any:
    """Return what :func:`to_json` wrote.

    Raises
    ------
    ValueError
        When the text is no JSON, or not what :func:`to_json` writes.

    Examples
    --------
    >>> from_json('{"window": {"$tuple": [840, 900]}}')
    {'window': (840, 900)}
    """
    try:
        return json.loads(text, object_pairs_hook=_unmarked)
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _marked(value: object, key: str) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}
    if value is None or isinstance(value, bool | str | int | float):
        return value
    if isinstance(value, list | tuple):
        items = [_marked(item, f"{key}[{place}]") for place, item in enumerate(value)]
        return items if isinstance(value, list) else {"$tuple": items}
    return _marked_mapping(value, key) if isinstance(value, Mapping) else _marked_time(value, key)


def _marked_mapping(value: Mapping[Any, object], key: str) -> object:
    if all(type(name) is str and not name.startswith(_MARK) for name in value):
        return {name: _marked(item, f"{key}.{name}") for name, item in value.items()}
    return {"$pairs": [[_marked(name, key), _marked(item, f"{key}.{name}")] for name, item in value.items()]}


def _marked_time(value: object, key: str) -> object:
    if value is not pd.NaT:
        if isinstance(value, dt.datetime):
            return {"$datetime": value.isoformat()}
        if isinstance(value, dt.date):
            return {"$date": value.isoformat()}
        if isinstance(value, dt.time):
            return {"$time": value.isoformat()}
        if isinstance(value, dt.timedelta):
            return {"$timedelta": [value.days, value.seconds, value.microseconds]}
    raise InputError(
        Fault(
            what=f"a {type(value).__name__} cannot be written",
            key=key,
            expected="text, numbers, dates, and lists, tuples and mappings of them",
        )
    )


def _unmarked(pairs: list[tuple[str, Any]]) -> Any:
    if len(pairs) == 1 and pairs[0][0].startswith(_MARK):
        return _BACK[pairs[0][0]](pairs[0][1])
    return dict(pairs)
