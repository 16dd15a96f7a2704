"""Profiles as pages of their own: the heap over time, and an event loop's delays."""

import math
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

from neural_trader.bench.profiling import Profile
from neural_trader.core.version import VERSION

_WIDTH: Final = 900
_HEIGHT: Final = 240
_LEFT: Final = 62
_POINTS_MAX: Final = 2_000
_PAGE: Final = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$title</title>
<style>$style
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; }
svg .level { stroke: var(--grid); }
svg .area { fill: var(--leg0); opacity: .16; }
svg .line { fill: none; stroke: var(--leg0); stroke-width: 1.5; }
svg .bar { fill: var(--leg0); }
.panel { padding: 1rem; }
td:first-child, th:first-child { text-align: left; overflow-wrap: anywhere; }
</style>
</head>
<body>
<header><p class="kind">neural-trader bench profile</p>
<h1>$title</h1><dl class="terms">$terms</dl></header>
<main>$parts</main>
<footer><p>neural-trader $version</p></footer>
</body>
</html>
""")  # fmt: skip


def render_profile(profile: Profile) -> str:
    """Return the page of a profile, or the flame graph itself: one file that opens offline."""
    if profile.kind == "cpu":
        return profile.svg
    render = _memory if profile.kind == "memory" else _loop
    terms, parts = render(profile)
    terms = {"Case": profile.case, "By": profile.tool} | terms
    style = (files("neural_trader.reports") / "assets" / "report.css").read_text(encoding="utf-8")
    title = "Heap" if profile.kind == "memory" else "Event loop"
    return _PAGE.substitute(
        title=escape(f"{title}: {profile.case}"),
        style=style,
        terms="".join(f"<div><dt>{k}</dt><dd>{escape(v)}</dd></div>" for k, v in terms.items()),
        parts="".join(parts),
        version=escape(VERSION),
    )


def _memory(profile: Profile) -> tuple[dict[str, str], list[str]]:
    figures = profile.figures
    terms = {"Watched": f"{figures['seconds']:g} s", "Peak": f"{figures['peak_mb']:.2f} MB"}
    for name in ("first", "last"):
        size = figures[f"{name}_mb"]
        terms[f"{name} sample".capitalize()] = "none" if size is None else f"{size:.2f} MB"
    rows = [
        (one["place"], f"{one['bytes'] / 1e6:.3f}", f"{one['count']:,}")
        for one in figures["places"]
    ]
    is_peak = profile.tool.startswith("memray")
    held = "Held at the peak" if is_peak else "Held at the end"
    what = (
        "Every allocation of the process that was watched, C and NumPy included. Of a gateway its "
        "start is in it; of other cases imports and preparation came before."
        if is_peak
        else "Python's own allocations, NumPy's arrays included; memory that C code takes for "
        "itself is not seen. memray, of the extra bench, sees it."
    )
    parts = [
        _section("Heap over time", _timeline(profile.drawn["timeline"]), what),
        _section(held, _table(("place", "MB", "allocations"), rows), ""),
    ]
    return terms, parts


def _loop(profile: Profile) -> tuple[dict[str, str], list[str]]:
    figures, drawn = profile.figures, profile.drawn
    lag = figures["lag"]
    terms = {"Loop": figures["loop"], "Watched": f"{figures['seconds']:g} s of load"}
    terms |= {
        f"Lag {name}": "none" if lag[f"{name}_us"] is None else f"{lag[f'{name}_us']:,.0f} us"
        for name in ("p50", "p99", "max")
    }
    by_name = [
        (
            one["name"],
            f"{one['calls']:,}",
            f"{one['total_ms']:,.1f}",
            *(f"{one[f'{name}_us']:,.0f}" for name in ("p50", "p99", "max")),
        )
        for one in figures["callbacks"]
    ]
    slowest = [(one["name"], f"{one['us']:,.0f}") for one in figures["slowest"]]
    parts = [
        _section(
            "How late timers are",
            _histogram(drawn["lags_us"]),
            "A timer of 2 ms is set again and again. Loops count time in whole milliseconds, so "
            "up to 1 ms is the clock's, not the load's.",
        ),
        _section(
            "How long callbacks take",
            _histogram(drawn["calls_us"]),
            "What the loop calls by itself. What a callback calls counts as its own; the probe "
            "costs a fraction of a microsecond a call.",
        ),
        _section(
            "Callbacks by name",
            _table(("callback", "calls", "total, ms", "P50, us", "P99, us", "max, us"), by_name),
            "",
        ),
        _section("The slowest calls", _table(("callback", "us"), slowest), ""),
    ]
    return terms, parts


def _section(title: str, body: str, words: str) -> str:
    said = f'<p class="aside">{escape(words)}</p>' if words else ""
    return (
        f'<section><h2>{escape(title)}</h2>{said}<div class="panel scroll">{body}</div></section>'
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _timeline(points: Sequence[Sequence[float]]) -> str:
    """Return the heap as an area over seconds, the highest of every stretch kept."""
    if not points:
        return "<p>The work was over before a sample was taken.</p>"
    step = -(-len(points) // _POINTS_MAX)
    kept = [max(points[k : k + step], key=lambda one: one[1]) for k in range(0, len(points), step)]
    last, tall = max(kept[-1][0], 1e-9), max(*(size for _, size in kept), 1.0)
    at = [
        f"{_LEFT + (_WIDTH - _LEFT) * seconds / last:.1f},"
        f"{_HEIGHT - (_HEIGHT - 10) * size / tall:.1f}"
        for seconds, size in kept
    ]
    levels = "".join(
        f'<line class="level" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tall * part / 1e6:.3g} MB</text>'
        for part in (0.0, 0.5, 1.0)
        for y in [_HEIGHT - (_HEIGHT - 10) * part]
    )
    area = f"{_LEFT},{_HEIGHT} {' '.join(at)} {at[-1].split(',')[0]},{_HEIGHT}"
    return _drawing(
        f'{levels}<polygon class="area" points="{area}"/>'
        f'<polyline class="line" points="{" ".join(at)}"/>'
        f'<text x="{_LEFT}" y="{_HEIGHT + 18}">0 s</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT + 18}" text-anchor="end">{last:.2f} s</text>',
        "Heap over time",
    )


def _histogram(values: Sequence[float]) -> str:
    """Return how many values fell into each power of two of microseconds, on a scale of roots."""
    if not values:
        return "<p>Nothing was measured.</p>"
    counts: dict[int, int] = {}
    for value in values:
        power = max(math.ceil(math.log2(value)) if value > 1.0 else 0, 0)
        counts[power] = counts.get(power, 0) + 1
    powers = range(min(counts), max(counts) + 1)
    tall, width = math.sqrt(max(counts.values())), (_WIDTH - _LEFT) / len(powers)
    parts: list[str] = []
    for place, power in enumerate(powers):
        count, x = counts.get(power, 0), _LEFT + place * width
        height = (_HEIGHT - 24) * math.sqrt(count) / tall
        told = f"up to {_time(2.0**power)}: {count:,}"
        parts.append(
            f'<rect class="bar" x="{x + 2:.1f}" y="{_HEIGHT - height:.1f}" '
            f'width="{width - 4:.1f}" height="{height:.1f}"><title>{told}</title></rect>'
            f'<text x="{x + width / 2:.1f}" y="{_HEIGHT - height - 5:.1f}" text-anchor="middle">'
            f"{count or ''}</text>"
            f'<text x="{x + width / 2:.1f}" y="{_HEIGHT + 18}" text-anchor="middle">'
            f"{_time(2.0**power)}</text>"
        )
    return _drawing("".join(parts), "Histogram; heights are square roots of counts")


def _time(us: float) -> str:
    return f"{us:.0f} us" if us < 1_000.0 else f"{us / 1e3:.0f} ms"


def _drawing(inside: str, label: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH + 8} {_HEIGHT + 28}" role="img" aria-label="{escape(label)}">'
        f"{inside}</svg>"
    )


def summary_lines(profile: Profile) -> list[str]:
    """Return what a terminal is told of a profile."""
    told: dict[str, Any] = profile.figures
    head = f"{profile.case}, {profile.kind}, by {profile.tool}, {told['seconds']:g} s"
    if profile.kind == "cpu":
        frames = "with" if told["native"] else "without"
        return [head, f"samples: {told['samples']}, {frames} frames of compiled code"]
    if profile.kind == "memory":
        lines = [head, f"peak: {told['peak_mb']:.2f} MB"]
        return lines + [
            f"  {one['bytes'] / 1e6:8.3f} MB  {one['place']}" for one in told["places"][:5]
        ]
    lag = told["lag"]
    if not lag["count"]:
        return [head, "the loop was not watched long enough for a timer"]
    lines = [
        head,
        f"lag: P50 {lag['p50_us']:,.0f} us, P99 {lag['p99_us']:,.0f} us, "
        f"max {lag['max_us']:,.0f} us",
    ]
    return lines + [f"  {one['us']:8,.0f} us  {one['name']}" for one in told["slowest"][:5]]
