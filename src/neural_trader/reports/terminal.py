"""A result as text in the terminal."""

import textwrap
from typing import TYPE_CHECKING, Final

from neural_trader.backtesting import Result

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_GAP: Final = 4
_NOTE_WIDTH_MAX: Final = 100


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
