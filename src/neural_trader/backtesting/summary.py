"""The figures of a result, in numbers for programs and in words for people."""

import math
from typing import Final, NamedTuple

import numpy as np

from neural_trader.backtesting.recorded import Recorded
from neural_trader.backtesting.round_trips import RoundTrip
from neural_trader.backtesting.run import Run
from neural_trader.backtesting.window import Window
from neural_trader.core import Bars
from neural_trader.core.bars import Floats
from neural_trader.core.sessions import DAY_NS, session_date
from neural_trader.portfolio import compute_metrics, compute_turnover
from neural_trader.strategies import Pairs

_LABEL_NOTES: Final = {
    "survivors": (
        "survivors: these symbols are known today because they lasted; results on them are better "
        "than a trader of the time could have had"
    ),
}
_BASIS_NOTES: Final = {
    "total-return": (
        "research prices: total-return adjusted prices know the future of dividends and splits, so "
        "quantities and fees are not those of the day"
    ),
    "split-adjusted": "split-adjusted prices: dividends are not included",
}


class Summary(NamedTuple):
    """Figures by name, why some are NaN, their conventions, rows to print and notes to read."""

    metrics: dict[str, float]
    undefined: dict[str, str]
    conventions: dict[str, str]
    rows: list[tuple[str, str]]
    notes: list[str]


def compute_buy_and_hold(window: Window, bars: int, capital: float) -> Floats:
    """Return the equity of capital split evenly over the legs at the first close, without costs.

    Parameters
    ----------
    window : Window
        The run's window; the line begins at its ``first`` bar.
    bars : int
        Length of the line.
    capital : float
        Starting cash; fractional quantities are held.
    """
    line = np.zeros(bars)
    for row in window.rows:
        prices = window.close[row, window.first : window.first + bars]
        line += capital / len(window.rows) * (prices / prices[0])
    return line


def compute_summary(run: Run) -> Summary:
    """Compute every headline figure of a run."""
    config, window = run.config, run.window
    held = compute_buy_and_hold(window, len(run.equity), config.capital)
    is_held = bool(np.isfinite(held).all() and (held > 0.0).all())
    performance = compute_metrics(
        run.equity,
        run.ts_close_ns,
        capital=config.capital,
        benchmark=held if is_held else None,
    )
    metrics, undefined = dict(performance.values), dict(performance.undefined)
    conventions = dict(performance.conventions)
    metrics["buy_and_hold_return"] = float(held[-1] / config.capital - 1.0)
    for figures, reasons in (_cost_figures(run), _trade_figures(run.trips)):
        metrics |= figures
        undefined |= reasons
    if "z_score" in run.signals:
        closed = [trip for trip in run.trips if not trip.is_open]
        metrics["trade_converged_but_lost"] = float(sum(t.pnl < 0.0 for t in closed))
        metrics["trade_converged_but_lost_gross"] = float(sum(t.gross_pnl < 0.0 for t in closed))
    conventions |= {
        "benchmark": "buy and hold, for beta, alpha and what else needs one",
        "turnover": "traded value over mean equity, a year",
        "break_even_cost_bps": "gross P&L over traded value: what a fill may cost",
        "buy_and_hold": "capital split evenly over the symbols at the first close, no costs",
        "trade_*": "closed round trips, after costs; all legs of an entry are one trade",
        "fills": f"decided at the close of bar t, filled at the {window.fill_at} of bar t + 1",
    }
    return Summary(metrics, undefined, conventions, _rows(run, metrics), _notes(run))


def _cost_figures(run: Run) -> tuple[dict[str, float], dict[str, str]]:
    """Return what trading cost and how much was traded."""
    qty, reference, price, fee, _ = run.outcome.fills
    fees, slippage = float(fee.sum()), float((qty * (price - reference)).sum())
    net = run.final_equity - run.config.capital
    traded = float(np.abs(qty * reference).sum())
    stamps = run.ts_close_ns
    years = float(stamps[-1] - stamps[0]) / (365.25 * DAY_NS)
    reasons = {}
    if not traded:
        reasons["break_even_cost_bps"] = "nothing was traded"
    if not years:
        reasons["turnover"] = "the run has one bar"
    figures = {
        "net_pnl": net,
        "gross_pnl": net + fees + slippage,
        "fees": fees,
        "slippage": slippage,
        "traded_value": traded,
        "break_even_cost_bps": (net + fees + slippage) / traded * 1e4 if traded else math.nan,
        "turnover": compute_turnover(traded, run.equity, years),
        "peak_leverage": run.outcome.peak_leverage,
        "time_in_market": _bars_held(run.trips) / len(run.equity),
    }
    return figures, reasons


def _bars_held(trips: list[RoundTrip]) -> int:
    """Return over how many bars anything was held; round trips of several symbols may overlap."""
    held, until = 0, 0
    for trip in sorted(trips, key=lambda trip: trip.entry_bar):
        held += max(trip.exit_bar - max(trip.entry_bar, until), 0)
        until = max(until, trip.exit_bar)
    return held


def _trade_figures(trips: list[RoundTrip]) -> tuple[dict[str, float], dict[str, str]]:
    """Return the statistics of the closed round trips."""
    pnl = [trip.pnl for trip in trips if not trip.is_open]
    won, lost = [p for p in pnl if p > 0.0], [p for p in pnl if p < 0.0]
    figures = {"trade_count": float(len(trips)), "trade_closed": float(len(pnl))}
    ratios = {
        "trade_hit_rate": (float(len(won)), float(len(pnl)), "no closed trade"),
        "trade_expectancy": (sum(pnl), float(len(pnl)), "no closed trade"),
        "trade_profit_factor": (sum(won), -sum(lost), "no losing trade"),
        "trade_payoff": (
            sum(won) / max(len(won), 1) if won else 0.0,
            -sum(lost) / max(len(lost), 1),
            "no losing trade",
        ),
        "trade_bars_mean": (
            float(sum(t.exit_bar - t.entry_bar for t in trips if not t.is_open)),
            float(len(pnl)),
            "no closed trade",
        ),
    }
    reasons = {}
    for name, (above, below, why) in ratios.items():
        figures[name] = above / below if below else math.nan
        if not below:
            reasons[name] = why
    return figures, reasons


def _rows(run: Run, metrics: dict[str, float]) -> list[tuple[str, str]]:
    """Return the figures that a person looks at first, in order, as text."""

    def percent(name: str) -> str:
        return "n/a" if math.isnan(metrics[name]) else f"{metrics[name] * 100:,.2f} %"

    def number(name: str, digits: int = 2) -> str:
        return "n/a" if math.isnan(metrics[name]) else f"{metrics[name]:,.{digits}f}"

    stamps = run.ts_close_ns
    rows = [
        ("period", f"{session_date(stamps[0])} to {session_date(stamps[-1])}"),
        ("bars", f"{len(stamps):,}"),
        ("final equity", f"{run.final_equity:,.4f}"),
        ("total return", percent("total_return")),
        ("buy and hold", percent("buy_and_hold_return")),
        ("CAGR", percent("cagr")),
        ("volatility (ann.)", percent("ann_volatility")),
        ("Sharpe", number("sharpe")),
        ("Sortino", number("sortino")),
        ("max drawdown", f"{percent('max_drawdown')}, {number('max_drawdown_bars', 0)} bars"),
        ("trades", f"{run.trades} ({metrics['trade_closed']:.0f} closed)"),
        ("fills", f"{run.fill_count}"),
        ("hit rate", percent("trade_hit_rate")),
        ("profit factor", number("trade_profit_factor")),
        ("gross P&L", number("gross_pnl")),
        ("fees + slippage", f"{metrics['fees']:,.2f} + {metrics['slippage']:,.2f}"),
        ("net P&L", number("net_pnl")),
        ("break-even cost", f"{number('break_even_cost_bps')} bps a fill"),
        ("turnover", f"{number('turnover')} x a year"),
        ("time in market", percent("time_in_market")),
        ("peak leverage", f"{number('peak_leverage', 3)} x"),
    ]
    if "trade_converged_but_lost" in metrics:
        lost, before = (
            metrics["trade_converged_but_lost"],
            metrics["trade_converged_but_lost_gross"],
        )
        rows.append(("converged but lost", f"{lost:.0f} ({before:.0f} before costs)"))
    rows += [
        (f"{'' if run.is_event_driven else 'skipped: '}{name.replace('_', ' ')}", f"{count}")
        for name, count in run.skipped.items()
        if count
    ]
    return rows


def data_notes(bars: Bars) -> list[str]:
    """Return what a reader has to know about the prices."""
    basis = [_BASIS_NOTES[bars.basis]] if bars.basis in _BASIS_NOTES else []
    return basis + [_LABEL_NOTES.get(label, label) for label in bars.labels]


def _notes(run: Run) -> list[str]:
    """Return what a reader has to know before trusting the figures."""
    bars, window, strategy = run.bars, run.window, run.config.strategy
    notes = [
        f"decisions at the close of bar t fill at the {window.fill_at} of bar t + 1"
        + ("" if "open" in bars.blocks[0].fields else " (the data have closes only)")
    ]
    notes += data_notes(bars)
    if len(window.ts_close_ns) <= strategy.warmup_bars:
        notes.append(
            f"no decision was possible: the warm-up takes {strategy.warmup_bars} bars and there "
            f"are {len(window.ts_close_ns)}"
        )
    if isinstance(strategy, Pairs) and strategy.entry > _score_limit(strategy.lookback):
        notes.append(
            f"no entry is possible: a z-score over {strategy.lookback} bars, its own among them, "
            f"cannot exceed {_score_limit(strategy.lookback):.4g}, and entry is {strategy.entry:g}"
        )
    if isinstance(strategy, Recorded):
        notes += strategy.notes
    if run.fill_count and run.config.costs.is_free:
        notes.append("no costs: every fill was free, as none is in a market")
    if run.outcome.is_ruined:
        day = session_date(run.ts_close_ns[-1])
        notes.append(f"the run ended on {day}: equity fell to {run.final_equity:,.2f}")
    elif any(trip.is_open for trip in run.trips):
        notes.append("a position is open at the end; it is marked at the last close, not closed")
    return notes


def _score_limit(lookback: int) -> float:
    """Return the largest z-score that a value can have among ``lookback`` values of its own.

    Source: Thompson (1935), the bound (n - 1) / sqrt(n) of a studentized deviation.
    """
    return (lookback - 1) / math.sqrt(lookback)
