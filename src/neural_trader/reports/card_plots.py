"""The drawings of an evaluation card, as SVG."""

import math
from html import escape
from typing import Any, Final

from neural_trader.reports.formats import number, percent

Found = dict[str, Any]

_ROW: Final = 22
_SERIES_MAX: Final = 60
_CLASSES: Final = ("first", "second")


class _Scale:
    """Maps values onto pixels."""

    def __init__(self, values: list[float], begin: float, end: float) -> None:
        self.low, self.high = min(values), max(values)
        if self.high <= self.low:
            self.low, self.high = self.low - 1e-9, self.high + 1e-9
        self._begin, self._end = begin, end

    def __call__(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return self._begin + part * (self._end - self._begin)


def fan(found: Found) -> str:
    """Return the last bars of a series, its forecast and the intervals around it."""
    width, height = 340, 170
    history, forecast, bands = found["history"], found["forecast"], found["bands"]
    ends = [value for band in bands for name in ("lower", "upper") for value in band[name]]
    count = len(history) + len(forecast)
    across = _Scale([0.0, count - 1.0], 6, width - 6)
    up = _Scale([*history, *forecast, *(v for v in ends if math.isfinite(v))], height - 22, 8)
    last = len(history) - 1

    def points(values: list[float], first: int) -> list[str]:
        return [f"{across(first + k):.1f},{up(value):.1f}" for k, value in enumerate(values)]

    shapes = []
    for band in reversed(bands):
        lower, upper = ([history[-1], *band[name]] for name in ("lower", "upper"))
        outline = points(upper, last) + points(lower, last)[::-1]
        shapes.append(f'<polygon class="band" points="{" ".join(outline)}"/>')
    shapes.append(f'<polyline class="history" points="{" ".join(points(history, 0))}"/>')
    path = points([history[-1], *forecast], last)
    shapes.append(f'<polyline class="forecast" points="{" ".join(path)}"/>')
    label = f"{number(history[-1])} → {number(forecast[-1])}"
    shapes.append(f'<text x="6" y="{height - 5}">{len(history)} bars</text>')
    shapes.append(
        f'<text x="{width - 6}" y="{height - 5}" text-anchor="end">{escape(label)}</text>'
    )
    return _svg(width, height, "".join(shapes), "Forecast with intervals")


def skill_by_series(by_series: Found) -> str:
    """Return skill over both baselines, with intervals, a row a series."""
    width, left = 560, 90
    shown = list(by_series.items())[:_SERIES_MAX]
    values = [0.0]
    for _, found in shown:
        for skill in found["skill"].values():
            values += [v for v in skill.values() if v is not None]
    across = _Scale(values, left + 8, width - 12)
    height = _ROW * len(shown) + 30
    zero = across(0.0)
    shapes = [f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{height - 22}"/>']
    for row, (name, found) in enumerate(shown):
        middle = row * _ROW + _ROW / 2
        shapes.append(
            f'<text class="name" x="{left}" y="{middle + 4:.1f}" text-anchor="end">'
            f"{escape(name)}</text>"
        )
        for place, skill in enumerate(found["skill"].values()):
            if skill["value"] is None or skill["lower"] is None:
                continue
            y = middle - 4 + 8 * place
            kind = _CLASSES[place]
            shapes.append(
                f'<line class="{kind}" x1="{across(skill["lower"]):.1f}" '
                f'x2="{across(skill["upper"]):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<circle class="{kind}" cx="{across(skill["value"]):.1f}" cy="{y:.1f}" r="3">'
                f"<title>{percent(skill['value'])}</title></circle>"
            )
    shapes += _ends(across, height - 6)
    return _svg(width, height, "".join(shapes), "Skill by series")


def skill_by_step(by_step: dict[str, list[float | None]]) -> str:
    """Return skill over both baselines at every step of the horizon."""
    width, height = 560, 240
    known = [value for steps in by_step.values() for value in steps if value is not None]
    count = max(len(steps) for steps in by_step.values())
    across = _Scale([1.0, float(max(count, 2))], 70, width - 20)
    up = _Scale([0.0, *known], height - 34, 14)
    zero = up(0.0)
    shapes = [f'<line class="zero" x1="60" x2="{width - 10}" y1="{zero:.1f}" y2="{zero:.1f}"/>']
    shapes += [
        f'<text x="54" y="{up(value) + 4:.1f}" text-anchor="end">{percent(value)}</text>'
        for value in dict.fromkeys((up.low, 0.0, up.high))
    ]
    for place, steps in enumerate(by_step.values()):
        spots = [(across(k), up(v)) for k, v in enumerate(steps, start=1) if v is not None]
        kind = _CLASSES[place]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        shapes.append(f'<polyline class="{kind}" points="{path}"/>')
        if count <= 30:
            shapes += [
                f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in spots
            ]
    for step in sorted({1, count}):
        shapes.append(
            f'<text x="{across(step):.1f}" y="{height - 12}" text-anchor="middle">step '
            f"{step}</text>"
        )
    return _svg(width, height, "".join(shapes), "Skill by step")


def coverage(ladder: list[Found]) -> str:
    """Return what the intervals of one source held, beside what they promised."""
    width, left = 560, 90
    rows = [(rung, name) for rung in ladder for name in ("overall", "volatile")]
    values = [rung["level"] for rung in ladder]
    values += [rung[name] for rung, name in rows if rung[name] is not None]
    across = _Scale([min(values) - 0.02, 1.0], left + 8, width - 60)
    height = _ROW * len(rows) + 30
    shapes = []
    for row, (rung, name) in enumerate(rows):
        middle, promised = row * _ROW + _ROW / 2, across(rung["level"])
        if name == "overall":
            shapes.append(
                f'<text class="name" x="{left}" y="{middle + 15:.1f}" text-anchor="end">'
                f"{100.0 * rung['level']:g} %</text>"
            )
        if rung[name] is not None:
            kind = _CLASSES[name == "volatile"]
            end = across(rung[name])
            shapes.append(
                f'<line class="{kind}" x1="{left + 8}" x2="{end:.1f}" y1="{middle:.1f}" '
                f'y2="{middle:.1f}"/>'
                f'<circle class="{kind}" cx="{end:.1f}" cy="{middle:.1f}" r="4"/>'
                f'<text x="{end + 8:.1f}" y="{middle + 4:.1f}">{percent(rung[name], 1)}</text>'
            )
        shapes.append(
            f'<line class="history" x1="{promised:.1f}" x2="{promised:.1f}" '
            f'y1="{middle - 9:.1f}" y2="{middle + 9:.1f}"/>'
        )
    shapes += _ends(across, height - 6)
    return _svg(width, height, "".join(shapes), "Coverage")


def _ends(across: _Scale, y: float) -> list[str]:
    """Return the two ends of a horizontal axis, in words."""
    return [
        f'<text x="{across(value):.1f}" y="{y:.1f}" text-anchor="{anchor}">{percent(value)}</text>'
        for value, anchor in ((across.low, "start"), (across.high, "end"))
    ]


def _svg(width: float, height: float, inside: str, label: str) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">'
        f"{inside}</svg>"
    )
