"""The charts of a report as plain data: which series, on which axis, with which markers.

What the charts leave out of a long run (bars
between extremes, markers of early round trips) is counted, so that the page can say so; figures
are never computed from what is shown.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.backtesting import Result, RoundTrip, compute_buy_and_hold
from neural_trader.portfolio import compute_drawdown
from neural_trader.reports.lines import encode, is_daily, line, times
from neural_trader.reports.thinning import compute_shown_bars

TRIPS_MAX: Final = 600
"""Round trips whose markers and bars of profit are drawn at most."""

_LEGS_MAX: Final = 2
_LOG_RATIO: Final = 3.0

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Chart = dict[str, Any]


def compute_charts(result: Result) -> dict[str, Any]:
    """Return the charts of a result, ready for JSON.

    Returns
    -------
    dict
        ``times`` (base64 float64, seconds UTC), ``daily`` (whether a date names a bar; it
        then stands at the begin of that day), ``charts`` (a list, from top to bottom), and, where
        something is left out, ``bars_shown`` and ``trips_shown``, each a list: how many are shown,
        how many there are.
    """
    window, equity = result.window, result.equity
    drawdown = compute_drawdown(equity, result.config.capital)
    legs = _shown_legs(result)
    rows = [window.rows[leg] for leg in legs]
    lines = [equity, drawdown, *(window.close[row, window.first :] for row in rows)]
    if "z_score" in result.signals:
        lines.append(result.signals["z_score"][window.first :])
    kept = compute_shown_bars([one[: len(equity)] for one in lines])
    bars = kept + window.first
    places = _shown_trips(result)
    trips = [result.trips[place] for place in places]
    charts = [_prices(result, legs, bars, trips)]
    if "z_score" in result.signals:
        charts.append(_z_scores(result, bars, trips))
    charts += [_equity(result, kept), _drawdown(drawdown[kept])]
    if trips:
        charts.append(_round_trips(result, trips, places))
    page: dict[str, Any] = {
        "times": _times(result, bars),
        "daily": is_daily(result.ts_close_ns),
        "charts": charts,
    }
    if len(kept) < len(equity):
        page["bars_shown"] = [len(kept), len(equity)]
    if len(trips) < len(result.trips):
        page["trips_shown"] = [len(trips), len(result.trips)]
    return page


def _shown_legs(result: Result) -> list[int]:
    """Return the legs whose prices are drawn: all, or of many the two with the most fills."""
    count = len(result.symbols)
    if count <= _LEGS_MAX:
        return list(range(count))
    fills = np.bincount(result.outcome.where[1], minlength=count)
    return sorted(np.argsort(-fills, kind="stable")[:_LEGS_MAX].tolist())


def _shown_trips(result: Result) -> list[int]:
    """Return the round trips to draw: the best and worst of every stretch where there are many."""
    if not result.trips:
        return []
    pnl = np.array([trip.pnl for trip in result.trips])
    return [int(place) for place in compute_shown_bars([pnl], points_max=TRIPS_MAX)]


def _times(result: Result, bars: Ints | list[int]) -> str:
    return times(result.window.ts_close_ns[bars], daily=is_daily(result.ts_close_ns))


def _price_digits(prices: Floats) -> int:
    """Return the decimals that prices are quoted with: more, the smaller they are."""
    typical = float(np.median(prices))
    return 2 if typical >= 5.0 else 4 if typical >= 0.05 else 6


def _prices(result: Result, legs: list[int], bars: Ints, trips: list[RoundTrip]) -> Chart:
    """Return the prices of legs with their fills; two legs have an axis each."""
    series, markers = [], []
    symbols = [result.symbols[leg] for leg in legs]
    rows = [result.window.rows[leg] for leg in legs]
    for place, (leg, symbol, row) in enumerate(zip(legs, symbols, rows, strict=True)):
        closes = result.window.close[row][bars]
        drawn = line(symbol, closes, f"leg{place}", _price_digits(closes))
        drawn["scale"] = "y" if place == 0 else "y2"
        series.append(drawn)
        # Its fills have the color and the axis of its line.
        markers += [
            group | {"color": f"leg{place}", "scale": drawn["scale"]}
            for group in _fill_markers(result, leg, trips)
        ]
    for index, name in enumerate(n for n in result.signals if n in ("fast", "slow")):
        values = result.signals[name][bars]
        span = getattr(result.config.strategy, name)
        drawn = line(f"average of {span}", values, f"average{index}", series[0]["digits"])
        series.append(drawn | {"width": 1.2, "dash": [[], [8, 3]][index]})
    shown = result.window.close[rows][:, bars]
    log = bool((shown.max(axis=1) / shown.min(axis=1)).max() > _LOG_RATIO)
    axes = f"{symbols[0]} on the left axis, {symbols[1]} on the right" if len(symbols) > 1 else ""
    if len(result.symbols) > len(symbols):
        axes += f", the two of {len(result.symbols)} symbols with the most fills"
    scale = "logarithmic scale" if log else ""
    legend = "▲ bought, ▼ sold; filled: entry, hollow: exit" if markers else ""
    return {
        "title": "Prices and fills",
        "note": "; ".join(note for note in (axes, scale, legend) if note),
        "height": 330,
        "log": log,
        "series": series,
        "markers": markers,
    }


def _fill_markers(result: Result, leg: int, trips: list[RoundTrip]) -> list[dict[str, Any]]:
    """Return the fills of a leg, one group for each of: entry or exit, buying or selling."""
    if not trips:
        return []
    where, fills = result.outcome.where, result.outcome.fills
    entries = np.array([trip.entry_bar for trip in trips], dtype=np.int64)
    exits = np.array([trip.exit_bar for trip in trips if not trip.is_open], dtype=np.int64)
    is_shown = np.isin(where[0], entries) | np.isin(where[0], exits)
    mine = np.flatnonzero((where[1] == leg) & is_shown)
    is_entry = np.isin(where[0, mine], entries)
    is_buy = fills[0, mine] > 0.0
    groups = []
    for entry in (True, False):
        for buy in (True, False):
            picked = mine[(is_entry == entry) & (is_buy == buy)]
            if len(picked):
                group = _group(result, where[0, picked], fills[1, picked])
                shape = "up" if buy else "down"
                groups.append(group | {"shape": shape, "filled": entry})
    return groups


def _group(result: Result, bars: Ints | list[int], values: Floats) -> dict[str, Any]:
    return {"x": _times(result, bars), "y": encode(values, "<f4"), "scale": "y"}


def _z_scores(result: Result, bars: Ints, trips: list[RoundTrip]) -> Chart:
    """Return the z-score with its thresholds and the decisions that were taken at them."""
    parameters = result.provenance["config"]["strategy"]
    entry, leave = parameters["entry"], parameters["exit"]
    z = result.signals["z_score"]
    decided = (
        ("up", True, [trip.entry_bar - 1 for trip in trips if trip.side > 0]),
        ("down", True, [trip.entry_bar - 1 for trip in trips if trip.side < 0]),
        ("dot", False, [trip.exit_bar - 1 for trip in trips if not trip.is_open]),
    )
    groups = [
        _group(result, at, z[at]) | {"shape": shape, "filled": filled, "color": "mark"}
        for shape, filled, at in decided
        if at
    ]
    levels = [(entry, [6, 4]), (-entry, [6, 4]), (leave, [1, 3]), (-leave, [1, 3])]
    legend = "▲ long entry, ▼ short entry, ○ exit, at the bars of decision" if groups else ""
    thresholds = (
        f"dashed: entry at ±{entry:g}; dotted: exit, of a short spread at {_signed(leave)} or "
        f"below, of a long one at {_signed(-leave)} or above"
    )
    return {
        "title": "z-score of the spread",
        "note": "; ".join(note for note in (thresholds, legend) if note),
        "height": 240,
        "series": [line("z-score", z[bars], "leg0") | {"width": 1.1}],
        "markers": groups,
        "lines": [{"value": value, "dash": dash} for value, dash in levels],
    }


def _signed(value: float) -> str:
    return f"{value + 0.0:g}".replace("-", "−")


def _equity(result: Result, kept: Ints) -> Chart:
    """Return equity and the buy-and-hold line, which starts hidden where it would dwarf equity."""
    capital = result.config.capital
    held = compute_buy_and_hold(result.window, len(result.equity), capital)
    # Beside a line that moves ten times as far, equity looks flat.
    dwarfs = bool(np.ptp(held) > 10.0 * max(np.ptp(result.equity), 0.01 * capital))
    note = "equity at every close, open positions marked at it; dashed: buy and hold, no costs"
    if dwarfs:
        change = held[-1] / capital - 1.0
        note += (
            f", which would dwarf it ({change * 100:+,.1f} %) and starts hidden: choose its name "
            "below to show it"
        )
    return {
        "title": "Equity",
        "note": note,
        "height": 260,
        "series": [
            line("equity", result.equity[kept], "leg0"),
            line("buy and hold", held[kept], "leg1")
            | {"hidden": dwarfs, "dash": [6, 4], "toggle": True},
        ],
    }


def _drawdown(drawdown: Floats) -> Chart:
    """Return the drawdown as it is drawn: downwards, in percent."""
    drawn = line("drawdown", 0.0 - drawdown * 100.0, "loss") | {"fill": True, "unit": " %"}
    return {
        "title": "Drawdown",
        "note": "percent below the highest equity so far, starting capital included",
        "height": 160,
        "unit": " %",
        "down": True,
        "series": [drawn],
    }


def _round_trips(result: Result, trips: list[RoundTrip], places: list[int]) -> Chart:
    """Return a bar of profit or loss for each round trip, at its exit."""
    return {
        "title": "Profit and loss of each round trip",
        "note": "after costs, at its exit; an open one at the last close",
        "height": 190,
        "series": [],
        "bars": {
            "x": _times(result, [trip.exit_bar for trip in trips]),
            "y": encode(np.array([trip.pnl for trip in trips]), "<f8"),
            "number": encode(np.array(places) + 1, "<f4"),
        },
    }
