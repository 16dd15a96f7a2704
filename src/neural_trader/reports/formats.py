"""How a report writes numbers and tables. Everything that comes from a run is escaped here."""

import math
from collections.abc import Collection, Iterable
from html import escape

# Between a number and its unit no line may break.
NBSP = "\u00a0"
_CLASS_TEXT = ' class="text"'


def number(value: float, digits: int = 2) -> str:
    """Return a number for reading: a dash where it is undefined, no sign where it rounds to 0."""
    if math.isnan(value):
        return "–"
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−") if text.strip("-0.,") else text.removeprefix("-")


def percent(value: float, digits: int = 2) -> str:
    """Return a fraction as percent for reading."""
    return "–" if math.isnan(value) else f"{number(value * 100.0, digits)}{NBSP}%"


def tone(value: float, digits: int = 2) -> str:
    """Return the class of a gain or a loss; what rounds to zero, or is undefined, has none."""
    text = number(value, digits)
    return "" if not text.strip("0.,–") else "loss" if value < 0.0 else "gain"


def cell(text: str, kind: str = "") -> str:
    """Return a table cell."""
    attribute = f' class="{kind.strip()}"' if kind.strip() else ""
    return f"<td{attribute}>{escape(text)}</td>"


def head(labels: Iterable[str], words: Collection[str] = ()) -> str:
    """Return the head of a table, a column a label; columns of words stand to the left."""
    cells = "".join(
        f'<th scope="col"{_CLASS_TEXT if label in words else ""}>{escape(label)}</th>'
        for label in labels
    )
    return f"<thead><tr>{cells}</tr></thead>"


def table(caption: str, rows: Iterable[tuple[str, str, str]]) -> str:
    """Return a table of two columns from rows of name, value and the value's class."""
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{cell(value, kind)}</tr>'
        for name, value, kind in rows
    )
    return f"<table><caption>{escape(caption)}</caption><tbody>{body}</tbody></table>"
