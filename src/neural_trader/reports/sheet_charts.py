"""The charts of a tear sheet as plain data: growth, drawdown and rolling figures of each series."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.portfolio import compute_drawdown
from neural_trader.reports.lines import is_daily, line, times
from neural_trader.reports.sheet import TearSheet
from neural_trader.reports.thinning import POINTS_MAX, compute_shown_bars

LINES_MAX: Final = 6
"""Series that are drawn at most, the benchmark among them."""

_COLORS: Final = ("leg0", "leg1", "average0", "average1", "gain", "mark")
_LOG_RATIO: Final = 3.0
# Points of all lines of all charts together: what keeps the page below 1 MB.
_POINTS_TOTAL: Final = 60_000

Floats = NDArray[np.float64]
Chart = dict[str, Any]


def drawn(sheet: TearSheet) -> tuple[str, ...]:
    """Return the series that are drawn: the first ones, and the benchmark."""
    if len(sheet.series) <= LINES_MAX:
        return sheet.series
    if sheet.benchmark is None or sheet.benchmark in sheet.series[:LINES_MAX]:
        return sheet.series[:LINES_MAX]
    return (*sheet.series[: LINES_MAX - 1], sheet.benchmark)


def compute_tear_sheet_charts(sheet: TearSheet) -> dict[str, Any]:
    """Return the charts of a tear sheet, ready for JSON, as ``charts.compute_charts`` does."""
    names = drawn(sheet)
    wealth = np.column_stack([_wealth(sheet.column(name)) for name in names])
    falls = np.column_stack([_falls(column) for column in wealth.T])
    places = [sheet.series.index(name) for name in names]
    figures = {
        metric: found[:, places]
        for metric in ("volatility", "sharpe", *(["beta"] if sheet.benchmark else []))
        if (found := sheet.rolling(metric)) is not None and np.isfinite(found[:, places]).any()
    }
    most = min(POINTS_MAX, _POINTS_TOTAL // (len(names) * (2 + len(figures))))
    kept = compute_shown_bars([*wealth.T], points_max=most)
    stamps = sheet.returns.ts_close_ns
    daily = is_daily(stamps)
    page: dict[str, Any] = {
        "times": times(stamps[kept], daily=daily),
        "daily": daily,
        "charts": [
            _growth(sheet, names, wealth[kept]),
            _drawdown(sheet, names, falls[kept]),
            *(_rolling(sheet, names, metric, found[kept]) for metric, found in figures.items()),
        ],
    }
    if len(kept) < len(stamps):
        page["bars_shown"] = [len(kept), len(stamps)]
    return page


def _wealth(returns: Floats) -> Floats:
    """Return what 1 has grown to; NaN where a series is not there."""
    grown: Floats = np.multiply.accumulate(1.0 + np.nan_to_num(returns, nan=0.0))
    grown[np.isnan(returns)] = np.nan
    return grown


def _falls(wealth: Floats) -> Floats:
    falls = np.full(len(wealth), np.nan)
    there = ~np.isnan(wealth)
    if there.any():
        falls[there] = compute_drawdown(wealth[there], 1.0)
    return falls


def _lines(
    sheet: TearSheet, names: tuple[str, ...], table: Floats, digits: int = 2
) -> list[dict[str, Any]]:
    lines = []
    for place, name in enumerate(names):
        one = line(name, table[:, place], _COLORS[place], digits)
        one["width"] = 1.5 if len(names) == 1 else 1.3
        if len(names) > 1:
            one["toggle"] = True
            one["hidden"] = False
        if name == sheet.benchmark:
            one |= {"color": "soft", "dash": [6, 4]}
        lines.append(one)
    return lines


def _growth(sheet: TearSheet, names: tuple[str, ...], wealth: Floats) -> Chart:
    there = wealth[np.isfinite(wealth)]
    lowest = float(there.min(initial=np.inf))
    log = bool(lowest > 0.0 and len(there) and there.max() / lowest > _LOG_RATIO)
    note = "of 1, at the end of every period" + ("; logarithmic scale" if log else "")
    return {
        "title": "Growth",
        "note": note + _switches(names),
        "height": 330,
        "log": log,
        "series": _lines(sheet, names, wealth, 3),
    }


def _drawdown(sheet: TearSheet, names: tuple[str, ...], falls: Floats) -> Chart:
    series = _lines(sheet, names, 0.0 - falls * 100.0)
    for one in series:
        one["unit"] = " %"
    if len(series) == 1:
        series[0] |= {"color": "loss", "fill": True}
    return {
        "title": "Drawdown",
        "note": "percent below the highest so far, the start included",
        "height": 190,
        "unit": " %",
        "down": True,
        "series": series,
    }


def _rolling(sheet: TearSheet, names: tuple[str, ...], metric: str, found: Floats) -> Chart:
    percent = metric == "volatility"
    series = _lines(sheet, names, found * (100.0 if percent else 1.0))
    titles = {"volatility": "Volatility", "sharpe": "Sharpe ratio", "beta": "Beta"}
    notes = {
        "volatility": "percent a year",
        "sharpe": "annualised",
        "beta": f"against {sheet.benchmark}",
    }
    chart: Chart = {
        "title": f"{titles[metric]} over {sheet.window} periods",
        "note": f"{notes[metric]}, of the {sheet.window} returns up to each date",
        "height": 190,
        "series": series,
    }
    if percent:
        chart["unit"] = " %"
        for one in series:
            one["unit"] = " %"
    else:
        level = 0.0 if metric == "sharpe" else 1.0
        chart["lines"] = [{"value": level, "dash": [2, 3]}]
    return chart


def _switches(names: tuple[str, ...]) -> str:
    return "; a name below switches its line off and on" if len(names) > 1 else ""
