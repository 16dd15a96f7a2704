"""A result as a table in the terminal."""

from typing import TYPE_CHECKING

from neural_trader.backtesting import Result

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 104


def print_result(result: Result, console: "Console | None" = None) -> None:
    """Print what was run, the headline figures and the notes.

    Parameters
    ----------
    result : Result
    console : rich.console.Console, optional
        Standard output by default. From 104 columns on the figures stand in two columns.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console(highlight=False)
    config = result.config
    console.print(Text(f"{config.strategy.kind}  {' / '.join(result.symbols)}", style="bold"))
    rows = result.summary.rows
    columns = 2 if console.width >= _WIDE else 1
    height = -(-len(rows) // columns)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for _ in range(columns):
        table.add_column(style="dim", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
    for index in range(height):
        cells: list[Text] = []
        for column in range(columns):
            place = index + column * height
            label, value = rows[place] if place < len(rows) else ("", "")
            cells += [Text(label), Text(value, style="red" if value.startswith("-") else "")]
        table.add_row(*cells)
    console.print(table)
    for note in result.notes:
        # A hanging indent, so that notes stay apart where they wrap.
        line = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
        line.add_row(Text("-", style="dim"), Text(note, style="dim"))
        console.print(line)
