"""The page in the terminal: a table for each section."""

from typing import TYPE_CHECKING, Any, Final

from neural_trader.bench.page_view import NOT_MEASURED, find_sections, show_page
from neural_trader.bench.rows import Report

if TYPE_CHECKING:
    from rich.console import Console

_WIDE: Final = 110
_STYLES: Final = {"ahead": "green", "behind": "red"}
_NOTES: Final = (
    "ours: median of the rounds, answers checked before any time was believed; x claim: how many "
    "times better than the page's figure for Rust; x base: than the baseline, in the same rounds; "
    "noise: half the 95 % bootstrap interval of the median; limit: straight C for the same work."
)


def print_page(report: Report, console: "Console | None" = None) -> None:
    """Print the sections that a report has rows of, as tables with their claims."""
    from rich.console import Console

    console = console or Console(highlight=False)
    page = show_page(report)
    there = find_sections(report)
    console.print(page["head"], style="dim", markup=False)
    for section in page["sections"]:
        if section["name"] in there:
            _print_section(console, section)
    console.print(_NOTES, style="dim")
    for warning in page["warnings"]:
        console.print(warning, style="yellow")


def _print_section(console: "Console", section: dict[str, Any]) -> None:
    """Print one section, its longest column folded where the terminal is narrow."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    is_wide = console.width >= _WIDE
    table = Table(
        title=f"{section['title']} ({section['name']})",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 0, 0, 1),
    )
    table.add_column("quantity", overflow="fold", min_width=14)
    names = ["claim", "baseline", "ours", "x claim", *(["x base"] if is_wide else [])]
    for name in (*names, *(["limit"] if is_wide else []), "noise"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in section["rows"]:
        missing = row["verdict"] == NOT_MEASURED
        cells = [
            row["claim"],
            row["baseline"],
            Text(row["ours"], style="dim" if missing else "bold"),
            Text(row["to_claim"], style=_STYLES.get(row["verdict"], "")),
            *([row["to_baseline"]] if is_wide else []),
            *([row["limit"]] if is_wide else []),
            row["noise"],
        ]
        table.add_row(row["words"], *cells)
    console.print(table)
    for text in _remarks(section):
        console.print(f"- {text}", style="dim", markup=False)


def _remarks(section: dict[str, Any]) -> list[str]:
    """Return reasons and what stands behind the claim, each once with the rows it holds for."""
    found: dict[str, list[str]] = {}
    for row in section["rows"]:
        if row["verdict"] == NOT_MEASURED:
            found.setdefault(f"not measured: {row['reason']}", []).append(row["words"])
        elif row["verdict"] == "behind":
            found.setdefault(row["notes"][-1], []).append(row["words"])
        if row["flag"]:
            found.setdefault(row["flag"], []).append(row["words"].partition(",")[0])
    return [f"{'; '.join(dict.fromkeys(names))}: {text}" for text, names in found.items()]
