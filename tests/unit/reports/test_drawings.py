"""Drawings hold what they were given, and never divide by nothing."""

import math
import re

import numpy as np
import pytest

from neural_trader.reports.drawings import histogram, year_bars


def heights(drawing: str) -> list[float]:
    return [float(found) for found in re.findall(r'<rect[^>]* height="([\d.]+)"', drawing)]


def test_every_year_has_its_bar_from_zero() -> None:
    drawing = year_bars([(2020, 0.1), (2021, -0.2), (2022, math.nan), (2023, 0.0)], "years")
    up, down, flat = heights(drawing)
    assert down == pytest.approx(2 * up, rel=0.01)
    assert flat == 0.5
    assert drawing.count('class="gain"') == 1
    assert "2021: \u221220.00" in drawing


def test_a_benchmark_stands_behind() -> None:
    drawing = year_bars([(2020, 0.1), (2021, 0.05)], "years", {2020: 0.2, 2019: 0.9})
    behind, own, alone = heights(drawing)
    assert behind == pytest.approx(2 * own, rel=0.01)
    assert own == pytest.approx(2 * alone, rel=0.01)
    assert "benchmark 20.00" in drawing


@pytest.mark.parametrize("years", [[], [(2020, math.nan)]])
def test_no_year_is_said(years: list[tuple[int, float]]) -> None:
    assert year_bars(years, "years") == "<p>There is no year with a return.</p>"


def test_every_return_is_counted_once() -> None:
    x = np.random.default_rng(3).standard_t(2, 3_000) / 100
    drawing = histogram(x, [("mean", float(x.mean())), ("none", math.nan)], "spread")
    counts = [int(found.replace(",", "")) for found in re.findall(r": ([\d,]+)</title>", drawing)]
    assert sum(counts) == 3_000
    assert drawing.count("<line") == 1
    assert max(heights(drawing)) <= 190.0


@pytest.mark.parametrize("x", [np.zeros(9), np.full(3, 0.1), np.array([-1.0]), np.array([0.0, 1])])
def test_returns_that_hardly_vary_are_drawn(
    x: "np.ndarray[tuple[int], np.dtype[np.float64]]",
) -> None:
    drawing = histogram(x, [("mean", float(x.mean()))], "spread")
    assert "nan" not in drawing
    assert "inf" not in drawing


def test_no_return_is_said() -> None:
    assert histogram(np.empty(0), [], "spread") == "<p>There is no return.</p>"


def test_words_are_escaped() -> None:
    assert "<b>" not in histogram(np.arange(9.0), [("<b>", 1.0)], "<b>")
