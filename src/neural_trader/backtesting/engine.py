"""The backtest: a strategy's intents, filled and marked by the execution kernel.

Data flow one way: bars -> window -> signals -> intents -> fills -> equity -> result. The rules are
in ``docs/semantics.md``; ``neural_trader.backtesting.reference`` is the same in plain Python.
"""

import datetime as dt
import math
from collections.abc import Mapping
from sys import float_info
from typing import TYPE_CHECKING, cast

import numpy as np

from neural_trader._kernels import execution
from neural_trader.backtesting.events import (
    Account,
    Own,
    check_basis,
    doer_of,
    is_own,
    run_own,
    symbols_of,
)
from neural_trader.backtesting.filling import Filling
from neural_trader.backtesting.recorded import Recorded, record
from neural_trader.backtesting.result import Result
from neural_trader.backtesting.run import Config, Outcome
from neural_trader.backtesting.window import FillAt, Range, Warmup, Window, open_window
from neural_trader.core import (
    Bars,
    ConfigError,
    Costs,
    Instrument,
    Matching,
    RunRefused,
    read_instruments,
    scratch,
)
from neural_trader.core.bars import Floats, Ints
from neural_trader.core.numbers import plain_number
from neural_trader.core.sessions import first_ns, session_date, session_day
from neural_trader.strategies import STATE_SIZE, CompiledStrategy, IntentBuffer, Legs

if TYPE_CHECKING:
    from neural_trader.strategies.indicators import IndicatorCache

LEVERAGE_MAX = 2.0
"""Peak gross exposure over equity beyond which a run is refused unless its user allows more."""

# Intents are handled in rounds of this many, so that a long run needs no large scratch arrays.
_ROUND = 4096
_NO_COSTS = Costs()


def backtest(  # noqa: PLR0913 - one keyword for each thing that a user decides about a run
    strategy: CompiledStrategy | Own,
    bars: Bars,
    *,
    capital: float = 100_000.0,
    costs: Costs = _NO_COSTS,
    start: str | dt.date | None = None,
    end: str | dt.date | None = None,
    warmup: Warmup = "before",
    fill_at: FillAt | None = None,
    max_leverage: float = LEVERAGE_MAX,
    matching: Matching | None = None,
    instruments: Instrument | Mapping[str, Instrument] | None = None,
    cache: "IndicatorCache | None" = None,
) -> "Result":
    """Run a strategy over bars.

    Parameters
    ----------
    strategy : Pairs, SmaCross, a Strategy of your own, Intents or TargetWeights
        What to trade and when. Your own object is called bar by bar; it is not copied, so that you
        find in it afterwards what it kept.
    bars : Bars
        From :func:`neural_trader.load`. Pairs trades on the common bars of its symbols; a strategy
        of your own sees every time slice in which any symbol has a bar.
    capital : float
        Starting cash, above zero.
    costs : Costs
        Fee and slippage of every fill; none by default.
    start, end : str or date, optional
        Inclusive session dates. ``start`` is the first bar on which a decision may be taken.
    warmup : {"before", "inside"}
        Whether bars before ``start`` warm the indicators up or are ignored.
    fill_at : {"open", "close"}, optional
        The price of bar t + 1 at which a decision of bar t fills; the open where the data have it.
    max_leverage : float
        Peak gross exposure over equity that the run may reach.
    matching : Matching, optional
        When limits fill, and how much of a bar's volume orders may take.
    instruments : Instrument or mapping of symbol to Instrument, optional
        Ticks and lots; whole shares without a tick by default.
    cache : IndicatorCache, optional
        Handed to a strategy whose ``plan`` takes one; a new one by default. It changes no result.

    Returns
    -------
    Result
        Equity at every bar from ``start`` on, fills, round trips, metrics, provenance.

    Raises
    ------
    ConfigError
        An argument is outside its range.
    DataError
        A symbol, a range or opens that the bars do not have; raw prices that cross a split.
    RunRefused
        The run went beyond ``max_leverage``, or its equity beyond what a float can hold.

    Timing
    ------
    A decision reads bars up to and including t and fills at bar t + 1; a decision on the last bar
    never fills. Positions still open at the end are marked at the last close, not closed. Equity at
    or below zero ends the run at that bar.
    """
    _check(strategy, bars, costs)
    capital = above_zero("capital", capital, at_most=float_info.max)
    max_leverage = above_zero("max_leverage", max_leverage, at_most=math.inf)
    start, end = date_text("start", start), date_text("end", end)
    asked = Range(start, end, warmup, fill_at)
    compiled = cast("CompiledStrategy", strategy)
    ran: CompiledStrategy | Recorded = compiled
    rules: tuple[Matching, tuple[Instrument, ...]] = (Matching(), ())
    if is_own(strategy):
        doer = doer_of(strategy, bars, cache)
        symbols = symbols_of(doer, bars)
        rules = (matching or Matching(), read_instruments(instruments, symbols))
        account = Account(capital, costs, *rules)
        # Before it runs: its attributes are its parameters only as long as it has not begun.
        ran = record(strategy, symbols)
        window, outcome = run_own(doer, bars, asked, account)
    elif matching is not None or instruments is not None:
        message = (
            f"{compiled.kind} trades whole shares at the market; matching and instruments are for "
            "strategies that make orders: leave them out"
        )
        raise ConfigError(message)
    else:
        check_basis(bars, costs, rules[0])
        window, outcome = _run_compiled(compiled, bars, asked, (capital, costs))
    check_outcome(outcome, window, max_leverage)
    config = Config(ran, capital, costs, start, end, warmup, window.fill_at, max_leverage, *rules)
    return Result(config, bars, window, outcome)


def check_outcome(outcome: Outcome, window: Window, max_leverage: float) -> None:
    """Refuse a run beyond the leverage limit, or beyond what a float can hold."""
    if not math.isfinite(outcome.equity[-1]):
        message = (
            f"final equity is {outcome.equity[-1]}; expected a finite number. Prices must be "
            "finite, and capital and gross small enough to be multiplied"
        )
        raise RunRefused(message)
    if outcome.peak_leverage > max_leverage:
        day = session_date(window.ts_close_ns[outcome.peak_bar])
        message = (
            f"gross exposure reached {outcome.peak_leverage:.4g} x equity on {day}; the limit is "
            f"{max_leverage:g} x. Lower gross, or allow it with max_leverage (--max-leverage)"
        )
        raise RunRefused(message)


def _run_compiled(
    strategy: CompiledStrategy, bars: Bars, asked: Range, account: tuple[float, Costs]
) -> tuple[Window, Outcome]:
    """Run a compiled strategy on the common bars of its symbols."""
    window = open_window(bars, strategy.symbols, asked)
    signals = strategy.signals(Legs(window.close, window.rows))
    outcome = _run(strategy, window, signals, account)
    if outcome.is_ruined:
        # A run that ends in ruin is a run on the bars up to its ruin: nothing later is counted.
        window = window.until(window.first + len(outcome.equity))
        signals = np.ascontiguousarray(signals[:, : len(window.ts_close_ns)])
        outcome = _run(strategy, window, signals, account)
    return window, outcome


def _trade(
    strategy: CompiledStrategy, window: Window, signals: Floats, account: tuple[float, Costs]
) -> tuple[Ints, Floats, Ints, int]:
    """Let the strategy decide and the execution kernel fill, in turn, until the bars are used up.

    Returns bar and leg of each fill, the fills, the strategy's state, and how many intents of the
    last bar never filled.
    """
    n = len(window.ts_close_ns)
    filling = Filling(window, *account)
    sizing = strategy.sizing
    state = np.zeros(STATE_SIZE, dtype=np.int64)
    state[0] = window.first
    room = min(_ROUND, max(4, len(window.rows) * (n - window.first)))
    buffer = IntentBuffer(state, np.empty((2, room), dtype=np.int64), np.empty(room))
    legs = Legs(window.close, window.rows)
    rounds = []
    while True:
        # Flat whenever it enters, so cash is equity at every decision that needs a size.
        money = sizing.amount * filling.cash if sizing.of_equity else sizing.amount
        made = strategy.decide(legs, signals, money, buffer)
        where, fills = filling.fill(buffer, made)
        rounds.append((where, fills))
        if state[0] >= n:
            break
    if len(rounds) > 1:
        where = np.concatenate([where for where, _ in rounds], axis=1)
        fills = np.concatenate([fills for _, fills in rounds], axis=1)
    return where, fills, state, filling.unfilled


def _run(
    strategy: CompiledStrategy, window: Window, signals: Floats, account: tuple[float, Costs]
) -> Outcome:
    """Trade, then mark the ledger at every bar, up to the one where equity is gone."""
    where, fills, state, unfilled = _trade(strategy, window, signals, account)
    ledger = np.zeros(len(window.rows) + 1)
    ledger[0] = account[0]
    equity = scratch.empty((len(window.ts_close_ns) - window.first,))
    peak = np.zeros(2)
    rows = np.array(window.rows, dtype=np.int64)
    ruin = execution.mark(window.close, rows, where, fills, window.first, ledger, equity, peak)
    ruined = ruin < len(window.ts_close_ns)
    return Outcome(
        equity[: ruin + 1 - window.first] if ruined else equity,
        where,
        fills,
        signals,
        ruined,
        float(peak[0]),
        int(peak[1]),
        (int(state[2]), int(state[3]), unfilled),
    )


def _check(strategy: CompiledStrategy | Own, bars: Bars, costs: Costs) -> None:
    """Refuse arguments of the wrong kind before anything is computed."""
    if not isinstance(bars, Bars):
        message = f"bars is a {type(bars).__name__}; expected Bars: pass it through nt.load first"
        raise ConfigError(message)
    check_asked(strategy, costs)


def check_asked(strategy: object, costs: object) -> None:
    """Refuse what is no strategy, and costs that are none."""
    if isinstance(strategy, type) or not (hasattr(strategy, "decide") or is_own(strategy)):
        message = (
            f"strategy is {strategy!r}; expected nt.Pairs(...), nt.SmaCross(...), an object of a "
            "class of your own that derives from nt.Strategy, nt.Intents or nt.TargetWeights"
        )
        raise ConfigError(message)
    if not isinstance(costs, Costs):
        message = f"costs is {costs!r}; expected nt.Costs(fee_bps=..., slippage_bps=...)"
        raise ConfigError(message)


def above_zero(name: str, value: object, *, at_most: float) -> float:
    """Return a number above zero as a plain float, or raise ConfigError."""
    number = plain_number(value)
    if not 0.0 < number <= at_most:
        message = f"{name} is {value!r}; expected a number above 0"
        raise ConfigError(message)
    return number


def date_text(option: str, value: str | dt.date | None) -> str | None:
    """Return a date in the one form that provenance records, or raise ConfigError."""
    if value is None:
        return None
    return session_date(first_ns(session_day(value, option=option))).isoformat()
