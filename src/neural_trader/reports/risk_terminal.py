"""Risk as text in the terminal."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from neural_trader.core.sessions import session_date
from neural_trader.reports.formats import number

if TYPE_CHECKING:
    from rich.console import Console

    from neural_trader.risk import RiskBacktest, RiskResult, StressResult

_HITS_SHOWN = 10


def print_risk(found: "RiskResult", console: "Console | None" = None) -> None:
    """Print value at risk, expected shortfall, their errors, components and definitions.

    Parameters
    ----------
    found : RiskResult
    console : rich.console.Console, optional
        Standard output by default.
    """
    from rich.console import Console
    from rich.table import Table

    console = console or Console()
    _line(console, f"{found.label}", "bold")
    for name, value, error in (
        ("VaR", found.var, found.std_error),
        ("ES", found.es, found.es_std_error),
    ):
        beside = "" if math.isnan(error) else f"  +- {number(error)} (1 standard error)"
        _line(console, f"{name:<8}{number(value):>16}{beside}")
    _line(console, f"{'value':<8}{number(found.value):>16}")
    for name, text in found.estimates.items():
        _line(console, f"{name:<8}{text:>16}")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("symbol", "exposure", "ES component", "VaR component", "incremental"):
        table.add_column(heading, justify="left" if heading == "symbol" else "right")
    table.add_column("marginal", justify="right")
    for symbol in found.components:
        table.add_row(
            symbol,
            *(
                number(column[symbol])
                for column in (
                    found.exposures,
                    found.components,
                    found.component_var,
                    found.incremental,
                )
            ),
            number(found.marginal[symbol], 5),
        )
    table.add_row("total", "", number(found.es), number(found.var), "", "", style="bold")
    console.print()
    console.print(table)
    reasons: dict[str, list[str]] = {}
    for name, why in found.undefined.items():
        reasons.setdefault(why, []).append(name)
    told = {", ".join(names): f"not defined: {why}" for why, names in reasons.items()}
    _words(console, found.definitions | told, found.notes)


def print_stress(found: "StressResult", console: "Console | None" = None) -> None:
    """Print what is lost in each scenario.

    Parameters
    ----------
    found : StressResult
    console : rich.console.Console, optional
        Standard output by default.
    """
    from rich.console import Console
    from rich.table import Table

    console = console or Console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("scenario")
    table.add_column("loss", justify="right")
    table.add_column("worst day", justify="right")
    table.add_column("")
    for one in found.losses:
        day = one.details.get("worst_day_loss")
        span = one.title
        if one.kind == "history":
            span += f", {one.details['start']} to {one.details['end']}, worst on "
            span += f"{one.details['worst']}; worst day {one.details['worst_day']}"
        table.add_row(one.name, number(one.loss), "" if day is None else number(day), span)
    console.print(table)
    worst = found.reverse
    if worst is not None:
        _line(console, f"\nmost likely way to lose {number(worst.loss)}: {worst.label}", "bold")
        for symbol, move, gained in zip(
            found.symbols, worst.moves.tolist(), worst.gains.tolist(), strict=True
        ):
            _line(console, f"{symbol:<10}{number(move * 100.0):>10} %{number(-gained):>16}")
        _line(
            console,
            f"{worst.distance:.2f} deviations away; probability of as much or more "
            f"{worst.probability:.3g}",
        )
    _words(console, found.definitions, [f"left out: {why}" for why in found.refused.values()])


def print_risk_backtest(found: "RiskBacktest", console: "Console | None" = None) -> None:
    """Print the tests of a risk model and its worst exceptions.

    Parameters
    ----------
    found : RiskBacktest
    console : rich.console.Console, optional
        Standard output by default.
    """
    from rich.console import Console
    from rich.table import Table

    console = console or Console()
    tests = found.tests
    first, last = (session_date(int(found.ts_close_ns[at])) for at in (0, -1))
    _line(
        console,
        f"{found.method}: {tests['exceptions']:,} exceptions on {tests['days']:,} days from "
        f"{first} to {last}, {tests['expected']:,.1f} expected",
        "bold",
    )
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("test", "statistic", "p-value", ""):
        table.add_column(heading, justify="left" if heading in ("test", "") else "right")
    for name in ("kupiec", "independence", "conditional_coverage", "z1", "z2"):
        row: Mapping[str, Any] = tests[name]
        table.add_row(
            name.replace("_", " "),
            number(row["statistic"], 3),
            number(row["p_value"], 4),
            row["undefined"],
        )
    console.print(table)
    for name in ("traffic_light", "traffic_light_last_250"):
        zone = tests[name]
        words = f"{name.replace('_', ' ')}: {zone['color']}, at most as many with probability "
        _line(console, words + f"{zone['probability']:.4f}")
    for row_number in (found.losses - found.var).argsort()[::-1][:_HITS_SHOWN].tolist():
        if found.hits[row_number]:
            day = session_date(int(found.ts_close_ns[row_number]))
            loss, limit = found.losses[row_number], found.var[row_number]
            _line(console, f"{day}  lost {number(loss)}, VaR {number(limit)}", "dim")
    _words(console, found.definitions, found.notes)


def _words(console: "Console", words: Mapping[str, str], notes: Iterable[str]) -> None:
    console.print()
    for name, text in words.items():
        _line(console, f"{name}: {text}", "dim")
    for note in notes:
        _line(console, f"- {note}")


def _line(console: "Console", text: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(text, style=style), soft_wrap=True, highlight=False)
