"""What was found in data, as tables in the terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from neural_trader.data.quality import Quality


def print_quality(
    found: "Quality", *, findings_max: int = 20, console: "Console | None" = None
) -> None:
    """Print how often each kind was found with each symbol, and the worst findings.

    Parameters
    ----------
    found : Quality
    findings_max : int
        The others are counted.
    console : rich.console.Console, optional
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = console or Console(highlight=False)
    counted = ", ".join(
        f"{count:,} {severity}{'' if count == 1 else 's'}"
        for severity, count in found.counts.items()
    )
    held = f"held to {found.calendar}" if found.calendar else "held to each other"
    many = "" if len(found.symbols) == 1 else "s"
    console.print(
        f"[bold]{escape(found.name)}[/bold]: {len(found.symbols):,} symbol{many}, {held}; {counted}"
    )
    if not found.findings:
        return
    table_of = found.by_symbol()
    kinds = sorted({kind for counts in table_of.values() for kind in counts})
    counts = Table(box=None, header_style="bold", pad_edge=False)
    counts.add_column("symbol")
    for kind in kinds:
        counts.add_column(kind.replace("_", " "), justify="right")
    for symbol, own in table_of.items():
        if own:
            cells = (f"{own[kind]:,}" if own[kind] else "" for kind in kinds)
            counts.add_row(escape(symbol or "all symbols"), *cells)
    console.print()
    console.print(counts)
    worst = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("severity", "symbol", "first", "last", "found"):
        worst.add_column(name, overflow="fold", no_wrap=name != "found")
    for one in found.findings[:findings_max]:
        last = one.last if one.last != one.first else ""
        worst.add_row(
            one.severity, escape(one.symbol or "all"), one.first, last, escape(one.message)
        )
    console.print()
    console.print(worst)
    more = len(found.findings) - findings_max
    if more > 0:
        console.print(f"{more:,} more: --report FILE or --json shows all of them", style="dim")
