from __future__ import annotations

import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni.analysis.values import median, percentile, share

ROUNDED = 1e-6
NUMBERS = st.lists(st.integers(0, 10**12) | st.floats(0, 1e12), min_size=1, max_size=200)


@settings(deadline=None)
@given(NUMBERS)
def test_the_median_is_that_of_the_standard_library(values):
    assert median(values) == pytest.approx(statistics.median(values), rel=1e-9, abs=ROUNDED)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=200))
def test_percentiles_are_those_of_the_standard_library(values):
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    assert [percentile(values, p) for p in range(1, 100)] == pytest.approx(cuts)


@settings(deadline=None)
@given(NUMBERS, st.floats(0, 100), st.floats(0, 100))
def test_percentiles_rise_and_stay_within_the_values(values, p, q):
    low, high = sorted((p, q))
    at_low, at_high = percentile(values, low), percentile(values, high)
    assert min(values) <= at_low or at_low == pytest.approx(min(values), abs=ROUNDED)
    assert at_high <= max(values) or at_high == pytest.approx(max(values), abs=ROUNDED)
    assert at_low <= at_high or at_low == pytest.approx(at_high, abs=ROUNDED)


@settings(deadline=None)
@given(st.integers(0, 10**12), st.integers(1, 50), st.floats(0, 100))
def test_all_percentiles_of_equal_values_are_the_value(value, n, p):
    assert percentile([value] * n, p) == value


def test_the_order_of_values_does_not_matter():
    assert [percentile([5, 1, 4, 2, 3], p) for p in (0, 25, 50, 90, 100)] == pytest.approx([1, 2, 3, 4.6, 5])


@pytest.mark.parametrize(("values", "p"), [([], 50), ([1], -1), ([1], 101)])
def test_there_is_no_percentile_of_nothing_and_none_outside(values, p):
    with pytest.raises(ValueError):
        percentile(values, p)


def test_a_share_keeps_its_digits_where_it_is_small():
    assert share(3, 10_000_000) == 3e-07
