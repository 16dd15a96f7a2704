"""The columns of a result's tables, as arrays: frames are made from these when looked at."""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from neural_trader.backtesting.positions import book_fills, mark_leg
from neural_trader.backtesting.round_trips import RoundTrip
from neural_trader.backtesting.window import Window
from neural_trader.portfolio import compute_drawdown

Table = Literal["equity", "fills", "round_trips", "signals", "positions", "ledger"]
TABLES: Final[tuple[Table, ...]] = (
    *("equity", "fills", "round_trips", "signals"),
    *("positions", "ledger"),
)
Columns = dict[str, NDArray[np.generic]]


def _times(window: Window, bars: NDArray[np.int64]) -> NDArray[np.datetime64]:
    return window.ts_close_ns[bars].astype("datetime64[ns]")


def equity_columns(window: Window, equity: NDArray[np.float64], capital: float) -> Columns:
    """Return time, equity, the return since the bar before and the drawdown, a row a bar."""
    bars = np.arange(window.first, window.first + len(equity))
    returns = np.full(len(equity), np.nan)
    returns[1:] = equity[1:] / equity[:-1] - 1.0
    return {
        "time": _times(window, bars),
        "equity": equity,
        "return": returns,
        "drawdown": compute_drawdown(equity, capital),
    }


def fill_columns(
    window: Window,
    symbols: tuple[str, ...],
    where: NDArray[np.int64],
    fills: NDArray[np.float64],
) -> Columns:
    """Return one row a fill: times, order, symbol, side, quantity, prices and costs."""
    names = np.array(symbols, dtype=object)
    qty, reference, price, fee, cash = fills
    # An order may have worked for many bars before it filled: its number says which it was.
    made: Columns = (
        {"order_id": where[2]}
        if len(where) > 2
        else {"decision_time": _times(window, where[0] - 1)}
    )
    return {
        "time": _times(window, where[0]),
        **made,
        "symbol": names[where[1]],
        "side": np.where(qty > 0.0, "buy", "sell").astype(object),
        "qty": qty,
        "reference_price": reference,
        "price": price,
        "fee": fee,
        "slippage": qty * (price - reference),
        "cash": cash,
    }


def round_trip_columns(
    window: Window,
    symbols: tuple[str, ...],
    trips: list[RoundTrip],
    signals: dict[str, NDArray[np.float64]],
) -> Columns:
    """Return one row a round trip, with every signal at its entry and at its exit decision.

    The signals at the exit of an open round trip are those of the last bar.
    """
    entry = np.array([trip.entry_bar for trip in trips], dtype=np.int64)
    leave = np.array([trip.exit_bar for trip in trips], dtype=np.int64)
    is_open = np.array([trip.is_open for trip in trips], dtype=bool)
    decided = leave - ~is_open
    columns: Columns = {
        "entry_time": _times(window, entry),
        "exit_time": _times(window, leave),
        "bars": leave - entry,
        "is_open": is_open,
        "side": np.array(["long" if t.side > 0 else "short" for t in trips], dtype=object),
    }
    for leg, symbol in enumerate(symbols):
        columns[f"qty_{symbol}"] = np.array(
            [t.quantities[leg] if leg < len(t.quantities) else 0.0 for t in trips], dtype=float
        )
    for name, values in signals.items():
        columns[f"{name}_entry"] = values[entry - 1]
        columns[f"{name}_exit"] = values[decided]
    for name in ("pnl_entry", "gross_pnl", "fees", "slippage", "pnl"):
        columns[name] = np.array([getattr(trip, name) for trip in trips], dtype=float)
    return columns


def position_columns(
    window: Window,
    symbols: tuple[str, ...],
    where: NDArray[np.int64],
    fills: NDArray[np.float64],
    *,
    bars: int,
) -> Columns:
    """Return one row a bar and symbol that is held at its close or was filled on it.

    Profits and fees are those of the symbol since the run began; ``average_price`` is NaN where
    nothing is held.
    """
    names = np.array(symbols, dtype=object)
    at = np.arange(window.first, window.first + bars)
    booked = book_fills(where, fills)
    parts: list[list[NDArray[np.generic]]] = []
    for leg in range(len(symbols)):
        marked = mark_leg(window, where, booked, leg=leg, bars=at)
        there = np.flatnonzero((marked.qty != 0.0) | marked.is_filled)
        qty, cost, realized, fees, value = (column[there] for column in marked[:5])
        average = np.divide(cost, qty, out=np.full(len(there), np.nan), where=qty != 0.0)
        close = window.close[window.rows[leg], at[there]]
        row = [at[there], np.full(len(there), leg), qty, average, close, value]
        parts.append([*row, realized, value - cost, fees])
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[1], columns[0]))
    bar, leg_of, *figures = (column[order] for column in columns)
    keys = ("qty", "average_price", "close", "value", "realized_pnl", "unrealized_pnl", "fees")
    found: Columns = {"time": _times(window, bar), "symbol": names[leg_of]}
    return found | dict(zip(keys, figures, strict=True))


def ledger_columns(
    window: Window,
    where: NDArray[np.int64],
    fills: NDArray[np.float64],
    *,
    equity: NDArray[np.float64],
    capital: float,
) -> Columns:
    """Return the account at the close of every bar: cash, exposures, profits and fees so far.

    ``equity`` is the run's own, which is ``cash + net_exposure`` and, but for roundings, ``capital
    + realized_pnl + unrealized_pnl - fees``.
    """
    at = np.arange(window.first, window.first + len(equity))
    booked = book_fills(where, fills)
    gross, net, cost, realized, fees = np.zeros((5, len(equity)))
    for leg in range(len(window.rows)):
        marked = mark_leg(window, where, booked, leg=leg, bars=at)
        gross += np.abs(marked.value)
        net += marked.value
        cost += marked.cost
        realized += marked.realized
        fees += marked.fees
    done = np.searchsorted(where[0], at, side="right")
    return {
        "time": _times(window, at),
        "cash": np.concatenate(([capital], fills[4]))[done],
        "equity": equity,
        "gross_exposure": gross,
        "net_exposure": net,
        "realized_pnl": realized,
        "unrealized_pnl": net - cost,
        "fees": fees,
    }
