"""The tables of a report that grow with the run: round trips, and returns by month and year."""

from typing import Final

from neural_trader.backtesting import Result, RoundTrip
from neural_trader.core.sessions import session_date
from neural_trader.portfolio import compute_calendar_returns
from neural_trader.reports.formats import cell, head, number, tone
from neural_trader.reports.months import months

ROWS_MAX: Final = 400
_LEGS_MAX: Final = 2


def round_trips(result: Result) -> str:
    """Return the round trips as a table, the latest ``ROWS_MAX`` of them."""
    trips = result.trips[-ROWS_MAX:]
    if not trips:
        return "<p>No entry was filled.</p>"
    names = _signal_names(result)
    # A column a symbol is right for a pair; of many symbols a round trip has one or two.
    quantities = ["position"] if _is_wide(result) else [f"qty {s}" for s in result.symbols]
    labels = ["#", "entry", "exit", "bars", "side", *quantities]
    for name in names:
        words = name.replace("z_score", "z").replace("_", " ")
        labels += [f"{words} at entry", f"{words} at exit"]
    labels += ["P&L at entry", "gross P&L", "costs", "P&L at exit", "outcome"]
    first = len(result.trips) - len(trips) + 1
    body = "".join(_trip_row(result, trip, names, place) for place, trip in enumerate(trips, first))
    left_out = (
        f"<p>These are the last {len(trips):,} of {len(result.trips):,} round trips; all of them "
        "are in <code>result.round_trips</code>.</p>"
        if len(trips) < len(result.trips)
        else ""
    )
    return (
        f'{left_out}<div class="scroll tall" tabindex="0" role="region" aria-label="Round trips">'
        f"<table><caption>Round trips, oldest first</caption>"
        f"{head(labels, {'side', 'position', 'outcome'})}<tbody>{body}</tbody></table></div>"
    )


def _signal_names(result: Result) -> list[str]:
    """Return the signals that a reader of round trips looks for."""
    is_pair = "z_score" in result.signals
    return ["z_score", "hedge_ratio"] if is_pair else list(result.signals)


def _is_wide(result: Result) -> bool:
    return len(result.symbols) > _LEGS_MAX


def _quantity(qty: float) -> str:
    return number(qty, 0 if qty.is_integer() else 4)


def _position(result: Result, trip: RoundTrip) -> str:
    """Return what a round trip held at its entry, symbol by symbol; many are counted."""
    held = [
        f"{symbol} {_quantity(qty)}"
        for symbol, qty in zip(result.symbols, trip.quantities, strict=False)
        if qty != 0.0
    ]
    more = f" and {len(held) - _LEGS_MAX} more" if len(held) > _LEGS_MAX else ""
    return ", ".join(held[:_LEGS_MAX]) + more


def _trip_row(result: Result, trip: RoundTrip, names: list[str], place: int) -> str:
    stamps = result.window.ts_close_ns
    # Signals are those that were decided on; an open round trip shows those of the last bar.
    decided = (trip.entry_bar - 1, trip.exit_bar - (not trip.is_open))
    words, kind = _outcome(trip, can_converge="z_score" in result.signals)
    held = (*trip.quantities, *(0.0 for _ in result.symbols))[: len(result.symbols)]
    cells = [
        cell(f"{place}"),
        cell(f"{session_date(stamps[trip.entry_bar])}"),
        cell("–" if trip.is_open else f"{session_date(stamps[trip.exit_bar])}"),
        cell(f"{trip.exit_bar - trip.entry_bar:,}"),
        cell(f"{'long' if trip.side > 0 else 'short'}", "text"),
        *(
            [cell(_position(result, trip), "text")]
            if _is_wide(result)
            else (cell(_quantity(qty)) for qty in held)
        ),
        *(cell(number(float(result.signals[name][bar]))) for name in names for bar in decided),
        cell(number(trip.pnl_entry)),
        cell(number(trip.gross_pnl)),
        cell(number(trip.fees + trip.slippage)),
        cell(number(trip.pnl), f"total {tone(trip.pnl)}"),
        cell(words, "text"),
    ]
    row = f' class="{kind}"' if kind else ""
    return f"<tr{row}>{''.join(cells)}</tr>"


def _outcome(trip: RoundTrip, *, can_converge: bool) -> tuple[str, str]:
    """Return how a round trip ended, in words and as the class of its row."""
    if trip.is_open:
        return "open, at the last close", "open"
    if trip.pnl > 0.0:
        return "gained", ""
    if trip.pnl == 0.0:
        return "even", ""
    lost = "lost" if trip.gross_pnl < 0.0 else "lost to costs"
    return (f"converged, but {lost}", "converged") if can_converge else (lost, "")


def calendar(result: Result) -> str:
    """Return the returns of every month and year as a table."""
    years = compute_calendar_returns(
        result.equity, result.ts_close_ns, capital=result.config.capital
    )
    return months(years)
