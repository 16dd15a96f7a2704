"""The written parts of a report as HTML: cards, notes, costs, figures, provenance."""

import json
import math
from html import escape
from typing import Final

from neural_trader.backtesting import Result
from neural_trader.portfolio import METRICS, OLDER_NAMES
from neural_trader.reports.formats import NBSP, cell, head, number, percent, table, tone
from neural_trader.reports.metric_words import listed, metric_text

_PERCENT: Final = {"buy_and_hold_return", "trade_hit_rate", "time_in_market"}
_MONEY: Final = {"net_pnl", "gross_pnl", "fees", "slippage", "traded_value", "trade_expectancy"}
_MEANINGS: Final = {
    "hedge_ratio_not_positive": "the hedge ratio was not above zero",
    "leg_of_zero_shares": "a leg would have had no share",
    "decided_on_the_last_bar": "decided on the last bar, which has no next one to fill at",
}


def cards(result: Result) -> str:
    """Return the figures that a reader looks at first."""
    m, costs = result.metrics, result.config.costs
    paid = f"{costs.fee_bps + costs.slippage_bps:g}{NBSP}bps" if costs.is_by_rate else str(costs)
    shown = [
        ("Final equity", number(result.final_equity), 0.0, f"from {result.config.capital:,.0f}"),
        (
            "Total return",
            percent(m["total_return"]),
            m["total_return"],
            f"buy and hold {percent(m['buy_and_hold_return'])}",
        ),
        ("CAGR", percent(m["cagr"]), m["cagr"], f"volatility {percent(m['ann_volatility'])}"),
        ("Sharpe", number(m["sharpe"]), m["sharpe"], f"Sortino {number(m['sortino'])}"),
        (
            "Max drawdown",
            percent(m["max_drawdown"]),
            0.0,
            f"longest {m['max_drawdown_bars']:,.0f} of {m['bars']:,.0f} bars",
        ),
        (
            "Trades",
            f"{result.trades:,}",
            0.0,
            f"{result.fill_count:,} fills, hit rate {percent(m['trade_hit_rate'], 1)}",
        ),
        (
            "Break-even cost",
            _with_unit(m["break_even_cost_bps"], f"{NBSP}bps"),
            0.0,
            f"a fill; paid: {paid}"
            if not m["break_even_cost_bps"] < 0.0
            else "below zero: it loses before costs",
        ),
        (
            "Peak leverage",
            f"{number(m['peak_leverage'], 3)}{NBSP}×",
            0.0,
            f"in the market {percent(m['time_in_market'], 1)} of bars",
        ),
    ]
    return "".join(
        f'<div class="card"><dt>{escape(name)}</dt>'
        f'<dd class="figure {tone(value, 4)}">{escape(text)}</dd>'
        f'<dd class="aside">{escape(aside)}</dd></div>'
        for name, text, value, aside in shown
    )


def _with_unit(value: float, unit: str) -> str:
    """Return a number with its unit, and a dash without one."""
    return number(value) + (unit if math.isfinite(value) else "")


def notes(result: Result) -> str:
    """Return what a reader has to know, as list items."""
    return "".join(f"<li>{escape(note)}</li>" for note in result.notes)


def costs(result: Result) -> str:
    """Return where the profit went, from gross to net, and how much was traded."""
    m, given = result.metrics, result.config.costs
    fees, slippage = "Fees", "Slippage"
    if given.is_by_rate:
        fees = f"Fees, {given.fee_bps:g} bps of filled value"
        slippage = f"Slippage, {given.slippage_bps:g} bps of price"
    rows = [
        ("Gross P&L, at reference prices", number(m["gross_pnl"]), tone(m["gross_pnl"])),
        (fees, number(-m["fees"]), ""),
        (slippage, number(-m["slippage"]), ""),
        ("Net P&L", number(m["net_pnl"]), f"total {tone(m['net_pnl'])}"),
    ]
    return table("From gross to net", rows)


def trading(result: Result) -> str:
    """Return how much was traded, and what it may have cost."""
    m = result.metrics
    rows = [
        ("Value traded", number(m["traded_value"]), ""),
        ("Turnover", _with_unit(m["turnover"], f"{NBSP}×{NBSP}a{NBSP}year"), ""),
        (
            "Break-even cost",
            _with_unit(m["break_even_cost_bps"], f"{NBSP}bps{NBSP}a{NBSP}fill"),
            "",
        ),
        ("Peak leverage", f"{number(m['peak_leverage'], 3)}{NBSP}×{NBSP}equity", ""),
    ]
    return table("Turnover and exposure", rows)


def skipped(result: Result) -> str:
    """Return the entries that were due and not taken, by reason."""
    rows = [
        (_MEANINGS.get(name, name.replace("_", " ")), f"{count:,}", "")
        for name, count in result.skipped.items()
        if count
    ]
    return table("Entries not taken, in bars", rows or [("no due entry was skipped", "0", "")])


def metrics(result: Result) -> str:
    """Return every metric by group, with the reason where it is undefined."""
    groups = listed(tuple(name for name in result.metrics if name != "turnover"))
    known = {name for names in groups.values() for name in names} | set(OLDER_NAMES)
    others = sorted(set(result.metrics) - known)
    groups["Round trips"] = [name for name in others if name.startswith("trade_")]
    groups["Costs and exposure"] = [name for name in others if not name.startswith("trade_")]
    return "".join(_metric_table(result, title, names) for title, names in groups.items() if names)


def _metric_table(result: Result, title: str, names: list[str]) -> str:
    rows = []
    for name in names:
        value, reason = result.metrics[name], result.summary.undefined.get(name)
        why = f'<span class="why">{escape(reason)}</span>' if reason else ""
        text = escape(_metric(name, value))
        rows.append(f'<tr><th scope="row">{escape(name)}</th><td>{text} {why}</td></tr>')
    return (
        f'<div class="panel"><table class="code-names"><caption>{escape(title)}</caption>'
        f"{head(['metric', 'value'])}<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _metric(name: str, value: float) -> str:
    if name in _PERCENT:
        return percent(value)
    if name in _MONEY:
        return number(value)
    if name in METRICS and name != "turnover":
        return metric_text(name, value)
    return number(value, 0 if value.is_integer() else 4)


def conventions(result: Result) -> str:
    """Return how the metrics were computed."""
    rows = [(name, value, "text") for name, value in result.summary.conventions.items()]
    return table("Conventions", rows)


def provenance(result: Result) -> str:
    """Return what the result was made from."""
    plain = {name: value for name, value in result.provenance.items() if name != "config"}
    body = "".join(
        f'<tr><th scope="row">{escape(name.replace("_", " "))}</th>'
        + cell(", ".join(value) if isinstance(value, list) else str(value), "text code")
        + "</tr>"
        for name, value in plain.items()
    )
    config = json.dumps(result.provenance["config"], indent=2, ensure_ascii=False)
    return (
        f"<table><caption>Provenance</caption><tbody>{body}</tbody></table>"
        f"<details><summary>Configuration</summary><pre>{escape(config)}</pre></details>"
    )
