"""A result as text in the terminal."""

import textwrap
from typing import TYPE_CHECKING, Final

from neural_trader.backtesting import Result, SweepResult
from neural_trader.core.sessions import session_date
from neural_trader.reports.metric_words import metric_text
from neural_trader.reports.sweep_page import words, written

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from neural_trader.reports.sheet import TearSheet

_GAP: Final = 4
_NOTE_WIDTH_MAX: Final = 100
_BEST: Final = 10
_HEADLINES: Final = ("cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "es")
_SHOWN: Final = ("sharpe", "total_return", "final_equity", "max_drawdown", "trades")


def print_result(result: Result, console: "Console | None" = None) -> None:
    """Print what was run, the headline figures and the notes.

    Parameters
    ----------
    result : Result
        From ``nt.backtest`` or ``nt.load_result``.
    console : rich.console.Console, optional
        Standard output by default. The figures stand in two columns where it is wide enough.
    """
    from rich.console import Console
    from rich.text import Text

    console = console or Console()
    kind = result.name
    lines = [Text(f"{kind}  {' / '.join(result.symbols)}", style="bold")]
    lines += _figures(result.summary.rows, console.width)
    lines.append(Text())
    width = max(min(console.width, _NOTE_WIDTH_MAX) - 2, 20)
    for note in result.notes:
        for index, part in enumerate(textwrap.wrap(note, width, break_on_hyphens=False)):
            lines.append(Text(f"{'  ' if index else '- '}{part}", style="dim"))
    # Lines stand as they are: a terminal that is narrower than a figure wraps it, and loses none.
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)


def print_sweep(result: SweepResult, console: "Console | None" = None) -> None:
    """Print how many trials there were, what they came to together, and the best ten.

    Parameters
    ----------
    result : SweepResult
        From ``nt.sweep``.
    console : rich.console.Console, optional
        Standard output by default.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console()
    summary, rank_by = result.summary, result.rank_by
    console.print(Text(f"sweep  {summary['trials']:,} trials", style="bold"))
    mean = summary["mean_final_equity"]
    for name, value in (
        ("trades", f"{summary['trades']:,}"),
        ("fills", f"{summary['fills']:,}"),
        ("mean final equity", "–" if mean is None else f"{mean:,.4f}"),
        ("refused by the strategy", f"{summary['not_run']:,}"),
        ("ruined", f"{summary['ruined']:,}"),
        ("beyond the leverage limit", f"{summary['refused']:,}"),
        ("indicator cache", _cache_words(result)),
    ):
        console.print(Text(f"{name:<27}{value:>16}"), soft_wrap=True, highlight=False)
    table = Table(title=f"best by {words(rank_by)}", title_justify="left", box=None)
    for name in ("", *result.grid, *_SHOWN):
        table.add_column(words(name), justify="right")
    for rank, place in enumerate(result.ranking[:_BEST].tolist(), start=1):
        trial = result.trial(place)
        parameters = [str(value) for value in trial["parameters"].values()]
        table.add_row(str(rank), *parameters, *(written(name, trial[name]) for name in _SHOWN))
    console.print(table)
    note = "the best of many trials on the same bars is partly luck"
    after = result.out_of_sample
    if after is None:
        note += "; hold bars back with a split (--split)"
    else:
        told = ", ".join(f"{words(name)} {written(name, after[name])}" for name in _SHOWN)
        console.print(Text(f"the first from {after['start']} on: {told}"), soft_wrap=True)
    console.print(Text(f"- {note}", style="dim"), soft_wrap=True)


def _cache_words(result: SweepResult) -> str:
    stats = result.cache
    if stats is None or not stats.hits + stats.misses:
        return "not used"
    return f"{stats.hit_rate:.1%} of {stats.hits + stats.misses:,}"


def print_metrics(sheet: "TearSheet", console: "Console | None" = None) -> None:
    """Print the metrics of one series whole, or the headlines of several.

    Parameters
    ----------
    sheet : TearSheet
        From ``tear_sheet``.
    console : rich.console.Console, optional
        Standard output by default.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console()
    returns, found = sheet.returns, sheet.performance
    table = Table(box=None, header_style="bold", pad_edge=False)
    if len(sheet.wanted) == 1:
        (name,) = sheet.wanted
        table.add_column("metric")
        table.add_column(Text(name), justify="right")
        table.add_column("")
        reasons = found.undefined(name)
        for metric, value in found.of(name).items():
            table.add_row(metric, metric_text(metric, value), Text(reasons.get(metric, "")))
    else:
        table.add_column("series")
        for metric in _HEADLINES:
            table.add_column(metric, justify="right", no_wrap=True)
        for name in sheet.wanted:
            figures = found.of(name)
            table.add_row(
                Text(name), *(metric_text(metric, figures[metric]) for metric in _HEADLINES)
            )
    console.print(table)
    first, last = (session_date(int(returns.ts_close_ns[at])) for at in (0, -1))
    count = len(returns.ts_close_ns)
    console.print(Text(f"\n{returns.name}: {count:,} periods from {first} to {last}"))
    for name, told in found.conventions.items():
        console.print(Text(f"{name}: {told}", style="dim"))
    if "survivors" in returns.labels:
        console.print("survivors: these symbols are known today because they lasted")
    if len(sheet.wanted) > 1:
        console.print("all metrics: --json, or one series with --symbols", style="dim")


def _figures(rows: list[tuple[str, str]], width: int) -> "list[Text]":
    """Return the figures in two columns, or in one where two do not fit."""
    from rich.text import Text

    half = -(-len(rows) // 2)
    columns = [rows[:half], rows[half:]]
    sizes = [_sizes(column) for column in columns]
    if sum(sum(size) + 2 for size in sizes) + _GAP > width:
        columns, sizes = [rows], [_sizes(rows)]
    lines = []
    for place in range(len(columns[0])):
        line = Text()
        for column, (name_width, value_width) in zip(columns, sizes, strict=True):
            if place < len(column):
                name, value = column[place]
                line.append(" " * _GAP if line else "")
                line.append(name.ljust(name_width + 2), style="dim")
                line.append(value.rjust(value_width), style="red" if value[0] == "-" else "")
        lines.append(line)
    return lines


def _sizes(rows: list[tuple[str, str]]) -> tuple[int, int]:
    return max(len(name) for name, _ in rows), max(len(value) for _, value in rows)
