"""The written parts of a report as HTML: cards, tables, provenance. Everything is escaped."""

import json
import math
from html import escape
from typing import Final

from neural_trader.backtesting import Result, RoundTrip
from neural_trader.core.sessions import session_date
from neural_trader.portfolio import compute_calendar_returns

ROWS_MAX: Final = 400
_PERCENT: Final = {
    "total_return",
    "cagr",
    "ann_volatility",
    "max_drawdown",
    "buy_and_hold_return",
    "period_hit_rate",
    "period_best",
    "period_worst",
    "trade_hit_rate",
    "time_in_market",
}
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


def number(value: float, digits: int = 2) -> str:
    """Return a number for reading; an undefined one is a dash."""
    return "–" if math.isnan(value) else f"{value:,.{digits}f}".replace("-", "−")


def percent(value: float, digits: int = 2) -> str:
    """Return a fraction as percent for reading."""
    return "–" if math.isnan(value) else f"{number(value * 100.0, digits)} %"


def _tone(value: float) -> str:
    return "" if math.isnan(value) or value == 0.0 else " gain" if value > 0.0 else " loss"


def cards(result: Result) -> str:
    """Return the figures that a reader looks at first."""
    m = result.metrics
    shown = [
        ("Final equity", number(result.final_equity), "", ""),
        (
            "Total return",
            percent(m["total_return"]),
            _tone(m["total_return"]),
            f"buy and hold {percent(m['buy_and_hold_return'])}",
        ),
        (
            "CAGR",
            percent(m["cagr"]),
            _tone(m["cagr"]),
            f"volatility {percent(m['ann_volatility'])}",
        ),
        ("Sharpe", number(m["sharpe"]), _tone(m["sharpe"]), f"Sortino {number(m['sortino'])}"),
        (
            "Max drawdown",
            percent(m["max_drawdown"]),
            "",
            f"longest {number(m['max_drawdown_bars'], 0)} bars",
        ),
        (
            "Trades",
            str(result.trades),
            "",
            f"{result.fill_count} fills, hit rate {percent(m['trade_hit_rate'])}",
        ),
        (
            "Break-even cost",
            f"{number(m['break_even_cost_bps'])} bps",
            _tone(m["break_even_cost_bps"]),
            "a fill, at which nothing is left",
        ),
        (
            "Peak leverage",
            f"{number(m['peak_leverage'], 3)} ×",
            "",
            f"in the market {percent(m['time_in_market'], 1)} of bars",
        ),
    ]
    return "".join(
        f'<div class="card"><dt>{escape(name)}</dt><dd class="figure{tone}">{escape(value)}</dd>'
        f'<dd class="aside">{escape(aside)}</dd></div>'
        for name, value, tone, aside in shown
    )


def notes(result: Result) -> str:
    """Return what a reader has to know, as list items."""
    return "".join(f"<li>{escape(note)}</li>" for note in result.notes)


def costs(result: Result) -> str:
    """Return where the profit went, from gross to net."""
    m, config = result.metrics, result.config
    rows = [
        ("Gross P&L, at reference prices", number(m["gross_pnl"]), _tone(m["gross_pnl"])),
        (f"Fees, {config.costs.fee_bps:g} bps of filled value", number(-m["fees"]), ""),
        (f"Slippage, {config.costs.slippage_bps:g} bps of price", number(-m["slippage"]), ""),
        ("Net P&L", number(m["net_pnl"]), _tone(m["net_pnl"]) + " total"),
        ("Value traded", number(m["traded_value"]), ""),
        ("Turnover", f"{number(m['turnover'])} × a year", ""),
        ("Break-even cost", f"{number(m['break_even_cost_bps'])} bps a fill", ""),
        ("Peak leverage", f"{number(m['peak_leverage'], 3)} × equity", ""),
    ]
    rows += [
        (f"Skipped: {name.replace('_', ' ')}", f"{count:,}", "")
        for name, count in result.skipped.items()
    ]
    return _pairs("Costs, turnover and skipped entries", rows)


def metrics(result: Result) -> str:
    """Return every metric, with the reason where it is undefined."""
    body = []
    for name, value in sorted(result.metrics.items()):
        digits = 0 if value.is_integer() else 4
        text = percent(value) if name in _PERCENT else number(value, digits)
        reason = result.summary.undefined.get(name, "")
        body.append(
            f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td>'
            f'<td class="text">{escape(reason)}</td></tr>'
        )
    head = '<tr><th scope="col">metric</th><th scope="col">value</th><th scope="col"></th></tr>'
    return f"<table><caption>All metrics</caption>{head}{''.join(body)}</table>"


def conventions(result: Result) -> str:
    """Return how the metrics were computed."""
    rows = [(name, value, " text") for name, value in result.summary.conventions.items()]
    return _pairs("Conventions", rows)


def provenance(result: Result) -> str:
    """Return what the result was made from."""
    plain = {name: value for name, value in result.provenance.items() if name != "config"}
    rows = [
        (
            name.replace("_", " "),
            ", ".join(value) if isinstance(value, list) else str(value),
            " text code",
        )
        for name, value in plain.items()
    ]
    config = json.dumps(result.provenance["config"], indent=2)
    return (
        _pairs("Provenance", rows)
        + f"<details><summary>Configuration</summary><pre>{escape(config)}</pre></details>"
    )


def calendar(result: Result) -> str:
    """Return the returns of every month and year."""
    years = compute_calendar_returns(
        result.equity, result.ts_close_ns, capital=result.config.capital
    )
    head = "".join(f'<th scope="col">{month}</th>' for month in _MONTHS)
    body = "".join(
        f'<tr><th scope="row">{year.year}</th>'
        + "".join(_return_cell(value) for value in year.months)
        + _return_cell(year.total, " total")
        + "</tr>"
        for year in years
    )
    return (
        "<table><caption>Returns by month and year, percent</caption>"
        f'<tr><th scope="col">year</th>{head}<th scope="col">year</th></tr>{body}</table>'
    )


def _return_cell(value: float, more: str = "") -> str:
    if math.isnan(value):
        return f'<td class="{more.strip()}"></td>'
    return f'<td class="{(_tone(value) + more).strip()}">{number(value * 100.0, 1)}</td>'


def round_trips(result: Result) -> str:
    """Return the round trips, the latest ``ROWS_MAX`` of them."""
    trips = result.trips[-ROWS_MAX:]
    if not trips:
        return "<p>No entry was filled.</p>"
    names = list(result.signals)
    is_pair = "z_score" in names
    if is_pair:
        names = ["z_score", "hedge_ratio"]
    labels = ["#", "entry", "exit", "bars", "side", *(f"qty {s}" for s in result.symbols)]
    for name in names:
        words = name.replace("z_score", "z").removeprefix("hedge_").replace("_", " ")
        labels += [f"{words} at entry", f"{words} at exit"]
    labels += [
        "P&L at entry",
        "gross P&L",
        "costs",
        "P&L at exit",
        *(["converged"] if is_pair else []),
    ]
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
    first = len(result.trips) - len(trips) + 1
    body = "".join(
        _trip_row(result, trip, names, first + index) for index, trip in enumerate(trips)
    )
    left_out = (
        f"<p>The last {len(trips):,} of {len(result.trips):,} round trips; all of them are in "
        "<code>result.round_trips</code>.</p>"
        if len(trips) < len(result.trips)
        else ""
    )
    return (
        f'{left_out}<div class="scroll"><table><caption>Round trips</caption><thead><tr>{head}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def _trip_row(result: Result, trip: RoundTrip, names: list[str], place: int) -> str:
    stamps = result.window.ts_close_ns
    leave = trip.exit_bar - (not trip.is_open)
    spread = "spread" if "z_score" in result.signals else ""
    cells = [
        f"<td>{place}</td>",
        f'<td class="text">{session_date(stamps[trip.entry_bar])}</td>',
        f'<td class="text">{"open" if trip.is_open else session_date(stamps[trip.exit_bar])}</td>',
        f"<td>{trip.exit_bar - trip.entry_bar}</td>",
        f'<td class="text">{"long" if trip.side > 0 else "short"} {spread}</td>',
    ]
    held = (*trip.quantities, *(0.0 for _ in result.symbols))[: len(result.symbols)]
    cells += [f"<td>{number(qty, 0)}</td>" for qty in held]
    for name in names:
        values = result.signals[name]
        cells += [f"<td>{number(float(values[bar]))}</td>" for bar in (trip.entry_bar - 1, leave)]
    cells += [
        f'<td class="{_tone(trip.pnl_entry).strip()}">{number(trip.pnl_entry)}</td>',
        f'<td class="{_tone(trip.gross_pnl).strip()}">{number(trip.gross_pnl)}</td>',
        f"<td>{number(trip.fees + trip.slippage)}</td>",
        f'<td class="total{_tone(trip.pnl)}">{number(trip.pnl)}</td>',
    ]
    if spread:
        lost = not trip.is_open and trip.pnl < 0.0
        cells.append(f'<td class="flag">{"but lost" if lost else ""}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _pairs(caption: str, rows: list[tuple[str, str, str]]) -> str:
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        f'<td class="{tone.strip()}">{escape(value)}</td></tr>'
        for name, value, tone in rows
    )
    return f"<table><caption>{escape(caption)}</caption>{body}</table>"
