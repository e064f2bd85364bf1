"""Rounding: Python's decimal is the referee."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from pandas.testing import assert_series_equal

from geoplan.places import round_half_up


def by_decimal(text, decimals):
    with localcontext() as context:
        context.prec = 400
        return float(Decimal(text).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))


@pytest.mark.parametrize(("part", "base", "rounded"), [(7, 56, 13), (35, 56, 63), (29, 40, 73)])
def test_published_shares_round_their_halves_up(part, base, rounded):
    assert round_half_up(part, denominator=base, scale=100) == rounded
    assert round_half_up(100 * part / base) == rounded
    assert round(100 * part / base) == rounded - 1  # to even, as Python does: 12.5, 62.5 and 72.5


@pytest.mark.parametrize(
    ("number", "decimals", "rounded"),
    [
        (0.5, 0, 1.0),
        (1.5, 0, 2.0),
        (2.5, 0, 3.0),
        (-2.5, 0, -3.0),
        (2.675, 2, 2.68),  # stored as 2.67499999…
        (1.005, 2, 1.01),
        (0.285, 2, 0.29),
        (2.6749999, 2, 2.67),
        (0.49999999999999994, 0, 0.0),  # + 0.5 is 1.0 in binary
        (149.5, -2, 100.0),
        (150, -2, 200.0),
        (1e300, 2, 1e300),
        (9007199254740993.0, 0, 9007199254740992.0),  # as the file's number is stored
    ],
)
def test_numbers_are_rounded_as_they_are_written(number, decimals, rounded):
    assert round_half_up(number, decimals) == rounded


@given(st.decimals(-(10**9), 10**9, places=6), st.integers(-3, 5))
def test_written_numbers_round_as_decimal_does(number, decimals):
    assert round_half_up(float(number), decimals) == by_decimal(repr(float(number)), decimals)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-5, 15))
def test_any_number_rounds_as_decimal_does(number, decimals):
    assert round_half_up(number, decimals) == by_decimal(repr(number), decimals)


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**7), st.integers(-2, 4), st.sampled_from([1, 100, 1000]))
def test_counts_round_as_exact_fractions_do(part, base, decimals, scale):
    ten = Fraction(10) ** decimals
    exact = Fraction(abs(part) * scale, base) * ten
    whole = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
    expected = float(Fraction(whole) / ten) * (-1 if part < 0 else 1)
    assert round_half_up(part, decimals, denominator=base, scale=scale) == expected


@given(st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), max_size=20), st.integers(-2, 6))
def test_rounding_twice_is_rounding_once(values, decimals):
    column = pd.Series(values, dtype=float, name="value")
    once = round_half_up(column, decimals)
    assert_series_equal(round_half_up(once, decimals), once)
    assert_series_equal(once.isna(), column.isna())


def test_series_and_arrays_keep_their_shape():
    series = pd.Series([7, 29, np.nan], index=["a", "b", "c"], name="poor")
    base = pd.Series([56, 40, 40], index=["a", "b", "c"])
    expected = pd.Series([12.5, 72.5, np.nan], index=["a", "b", "c"], name="poor")
    assert_series_equal(round_half_up(series, 1, denominator=base, scale=100), expected)
    assert round_half_up(np.array([[0.5, np.inf]])).tolist() == [[1.0, np.inf]]


def test_a_base_of_0_has_no_rate():
    assert np.isnan(round_half_up(0, denominator=0))


def test_counts_with_fractions_are_divided_as_numbers():
    assert round_half_up(1.25, denominator=10, scale=100) == 13  # 12.5


def test_more_decimals_than_a_float_holds_are_refused():
    with pytest.raises(ValueError, match=r"^16 decimals: a float holds 15$"):
        round_half_up(1.0, 16)
