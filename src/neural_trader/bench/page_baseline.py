"""The baseline programs beside the page: their figures, read from a fresh process of each.

A program ``neural_trader.bench.baseline.NAME`` prints one JSON line with its ``figures``, such as
``time_ms`` or ``peak_rss_mb``. Where there is none, the page says so.
"""

import json
import sys
from importlib.util import find_spec
from typing import Any, Final

from neural_trader.bench.page_jobs import run
from neural_trader.core import BenchError

_ROOM: Final = "neural_trader.bench.baseline"
# Names end with their unit; what one of it is in the units of the page.
UNITS: Final = {
    "ns": ("us", 1e-3),
    "us": ("us", 1.0),
    "ms": ("us", 1e3),
    "s": ("us", 1e6),
    "kb": ("MB", 1e-3),
    "mb": ("MB", 1.0),
    "per_s": ("orders/s", 1.0),
    "count": ("", 1.0),
}


def has_program(name: str) -> bool:
    """Return whether this version has a baseline program of that name."""
    return find_spec(_ROOM) is not None and find_spec(f"{_ROOM}.{name}") is not None


def ask_program(name: str, arguments: str = "{}") -> dict[str, float] | str:
    """Return what a baseline program measured in a fresh process, or why it measured nothing.

    Parameters
    ----------
    name : str
        Of the program.
    arguments : str
        Those of its ``prepare``, as JSON.
    """
    if not has_program(name):
        return "no baseline program"
    try:
        done = run([sys.executable, "-m", f"{_ROOM}.{name}", "--json-args", arguments])
    except BenchError as error:
        return str(error)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        return f"failed with exit code {done.returncode}: {said[-1][:200]}"
    found: dict[str, Any] = json.loads(lines[-1])
    figures = found.get("figures") or {}
    return {
        key: float(value)
        for key, value in figures.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def figure_of(figures: dict[str, float], name: str) -> tuple[float, str] | None:
    """Return a figure and its unit of the page, by its name without the unit; None if not there.

    Examples
    --------
    >>> figure_of({"time_ms": 2.0}, "time")
    (2000.0, 'us')
    """
    for suffix, (unit, factor) in UNITS.items():
        key = f"{name.replace('.', '')}_{suffix}"
        if key in figures:
            return figures[key] * factor, unit
    value = figures.get(name)
    return None if value is None else (value, "")
