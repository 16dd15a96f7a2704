"""The charts of a report as plain data: which series, on which axis, with which markers.

Series travel as base64 of little-endian arrays. Long runs are thinned: of every stretch of bars the
first one and those with the lowest and highest equity stay, so that peaks and falls keep their
depth; figures are never computed from thinned series.
"""

import base64
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.backtesting import Result, compute_buy_and_hold
from neural_trader.portfolio import compute_drawdown

POINTS_MAX: Final = 9_000
MARKERS_MAX: Final = 2_000
_NS: Final = 1_000_000_000
_LOG_RATIO: Final = 3.0

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


def compute_charts(result: Result) -> dict[str, Any]:
    """Return the charts of a result, ready for JSON.

    Returns
    -------
    dict
        ``times`` (base64 float64 seconds UTC), ``charts`` (a list, from top to bottom) and
        ``thinned`` (bars shown, bars there are) where bars or markers were left out.
    """
    kept = _kept_bars(result.equity)
    bars = kept + result.window.first
    charts = [_prices(result, bars)]
    if "z_score" in result.signals:
        charts.append(_z_scores(result, bars))
    charts += [_equity(result, kept), _drawdown(result, kept)]
    if result.trips:
        charts.append(_round_trips(result))
    seconds = result.window.ts_close_ns[bars] / _NS
    page: dict[str, Any] = {"times": _encode(seconds, "<f8"), "charts": charts}
    if len(kept) < len(result.equity):
        page["thinned"] = [len(kept), len(result.equity)]
    return page


def _kept_bars(equity: Floats) -> Ints:
    """Return the bars to show: all of them, or the extremes of every stretch."""
    n = len(equity)
    if n <= POINTS_MAX:
        return np.arange(n)
    edges = np.linspace(0, n, POINTS_MAX // 3 + 1).astype(np.intp)
    kept = [n - 1]
    for begin, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        stretch = equity[begin:stop]
        kept += [begin, begin + int(stretch.argmin()), begin + int(stretch.argmax())]
    return np.unique(kept)


def _encode(values: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()


def _series(label: str, values: Floats, color: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"label": label, "values": _encode(values, "<f4"), "color": color} | more


def _prices(result: Result, bars: Ints) -> dict[str, Any]:
    """Return the price of every leg with its fills; two legs have an axis each."""
    series, markers = [], []
    symbols = result.symbols
    for leg, (symbol, row) in enumerate(zip(symbols, result.window.rows, strict=True)):
        closes = result.window.close[row]
        scale = "y" if leg == 0 else "y2"
        series.append(_series(symbol, closes[bars], f"leg{leg}", scale=scale, digits=2))
        markers += _fill_markers(result, leg, scale)
    for index, name in enumerate(n for n in result.signals if n in ("fast", "slow")):
        label = f"{name} average"
        values = result.signals[name][bars]
        series.append(_series(label, values, f"average{index}", scale="y", digits=2))
    rows = list(result.window.rows)
    shown = result.window.close[rows][:, bars]
    log = bool((shown.max(axis=1) / shown.min(axis=1)).max() > _LOG_RATIO)
    axes = f"{symbols[0]} on the left axis, {symbols[1]} on the right" if len(symbols) > 1 else ""
    notes = [note for note in (axes, "logarithmic scale" if log else "") if note]
    return {
        "title": "Prices and fills",
        "note": "; ".join(notes),
        "height": 320,
        "log": log,
        "series": series,
        "markers": markers,
        "legend": "markers",
    }


def _fill_markers(result: Result, leg: int, scale: str) -> list[dict[str, Any]]:
    """Return the fills of a leg, one group for each of: entry or exit, buying or selling."""
    where, fills = result.outcome.where, result.outcome.fills
    entries = np.array([trip.entry_bar for trip in result.trips], dtype=np.int64)
    mine = np.flatnonzero(where[1] == leg)[-MARKERS_MAX:]
    is_entry = np.isin(where[0, mine], entries)
    is_buy = fills[0, mine] > 0.0
    groups = []
    for entry in (True, False):
        for buy in (True, False):
            picked = mine[(is_entry == entry) & (is_buy == buy)]
            if len(picked):
                seconds = result.window.ts_close_ns[where[0, picked]] / _NS
                groups.append(
                    {
                        "x": _encode(seconds, "<f8"),
                        "y": _encode(fills[1, picked], "<f4"),
                        "shape": "up" if buy else "down",
                        "filled": entry,
                        "color": f"leg{leg}",
                        "scale": scale,
                    }
                )
    return groups


def _z_scores(result: Result, bars: Ints) -> dict[str, Any]:
    """Return the z-score with its thresholds and the decisions that were taken at them."""
    parameters = result.provenance["config"]["strategy"]
    entry, leave = parameters["entry"], parameters["exit"]
    z = result.signals["z_score"]
    trips = result.trips[-MARKERS_MAX:]
    groups = []
    decided = {
        True: [trip.entry_bar - 1 for trip in trips],
        False: [trip.exit_bar - 1 for trip in trips if not trip.is_open],
    }
    for is_entry, at in decided.items():
        if at:
            seconds = result.window.ts_close_ns[at] / _NS
            groups.append(
                {
                    "x": _encode(seconds, "<f8"),
                    "y": _encode(z[at], "<f4"),
                    "shape": "dot",
                    "filled": is_entry,
                    "color": "leg0",
                    "scale": "y",
                }
            )
    lines = [
        {"value": entry, "label": f"entry {entry:g}", "dash": [6, 4]},
        {"value": -entry, "label": f"entry {-entry:g}", "dash": [6, 4]},
        {"value": leave, "label": f"exit {leave:g}", "dash": [2, 4]},
        {"value": -leave, "label": f"exit {-leave:g}", "dash": [2, 4]},
    ]
    return {
        "title": "z-score of the spread",
        "note": f"dashed: entry at ±{entry:g}; dotted: exit, a short spread at {leave:g}, a long "
        f"one at {-leave:g}; dots: decisions to enter (filled) and to leave (hollow)",
        "height": 240,
        "series": [_series("z-score", z[bars], "leg0", scale="y", digits=2, width=1)],
        "markers": groups,
        "lines": lines,
    }


def _equity(result: Result, kept: Ints) -> dict[str, Any]:
    """Return equity and the buy-and-hold line, which starts hidden where it would dwarf equity."""
    held = compute_buy_and_hold(result.window, len(result.equity), result.config.capital)
    dwarfs = bool(held.max() > _LOG_RATIO * result.equity.max())
    change = held[-1] / result.config.capital - 1.0
    note = "equity at every close, open positions marked at it"
    if dwarfs:
        note += (
            f"; buy and hold ({change * 100:+,.1f} %) would dwarf it and starts hidden: click its "
            "name to show it"
        )
    series: list[dict[str, Any]] = [
        {"label": "equity", "values": _encode(result.equity[kept], "<f8"), "color": "leg0"},
        {"label": "buy and hold", "values": _encode(held[kept], "<f8"), "color": "leg1"},
    ]
    for one in series:
        one |= {"wide": True, "scale": "y", "digits": 2}
    series[1] |= {"hidden": dwarfs, "dash": [6, 4]}
    return {"title": "Equity", "note": note, "height": 260, "series": series}


def _drawdown(result: Result, kept: Ints) -> dict[str, Any]:
    drawdown = compute_drawdown(result.equity, result.config.capital)[kept] * -100.0
    return {
        "title": "Drawdown",
        "note": "percent below the highest equity so far, starting capital included",
        "height": 160,
        "series": [_series("drawdown %", drawdown, "loss", scale="y", digits=2, fill=True)],
    }


def _round_trips(result: Result) -> dict[str, Any]:
    trips = result.trips[-MARKERS_MAX:]
    seconds = result.window.ts_close_ns[[trip.exit_bar for trip in trips]] / _NS
    return {
        "title": "Profit and loss of each round trip",
        "note": "after costs, at its exit; an open one at the last close",
        "height": 200,
        "series": [],
        "bars": {
            "x": _encode(seconds, "<f8"),
            "y": _encode(np.array([trip.pnl for trip in trips]), "<f8"),
        },
    }
