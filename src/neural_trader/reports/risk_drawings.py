"""The drawings of a risk report, as SVG without scripts."""

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from neural_trader.core.sessions import session_date
from neural_trader.reports.formats import number
from neural_trader.reports.thinning import compute_shown_bars

if TYPE_CHECKING:
    from neural_trader.core.bars import Floats
    from neural_trader.risk import RiskBacktest, RiskResult

_WIDTH: Final = 1160
_BINS: Final = 80
_POINTS_MAX: Final = 2_000
# Of the losses, which a histogram shows; what is beyond is counted at its ends.
_SHOWN: Final = 0.9995


def draw_distribution(losses: "Floats", found: "RiskResult") -> str:
    """Return a histogram of profit and loss, with VaR and ES and an error on each side.

    Parameters
    ----------
    losses : float64 array, shape (n,)
        Positive where money is lost; drawn to the left.
    found : RiskResult
    """
    height, top = 300, 46
    lines = [value for value in (found.var, found.es) if math.isfinite(value)]
    reach = float(np.quantile(np.abs(losses), _SHOWN)) if len(losses) else 0.0
    reach = max([reach, *(1.15 * abs(value) for value in lines), 1e-9])
    counts, edges = np.histogram(np.clip(-losses, -reach, reach), _BINS, (-reach, reach))
    step, tall = _WIDTH / _BINS, max(int(counts.max()), 1)

    def x(gain: float) -> float:
        return (gain + reach) / (2.0 * reach) * _WIDTH

    parts = []
    for place, (count, low, high) in enumerate(
        zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ):
        if not count:
            continue
        size = max(height * count / tall, 1.0)
        kind = "beyond" if math.isfinite(found.var) and high <= -found.var else "bars"
        parts.append(
            f'<rect class="{kind}" x="{place * step:.1f}" y="{top + height - size:.1f}" '
            f'width="{step - 1.5:.1f}" height="{size:.1f}"><title>{number(low)} to {number(high)}: '
            f"{count:,}</title></rect>"
        )
    # VaR is written to the right of its line and ES to the left, since ES is further out.
    for name, value, error, side in (
        ("VaR", found.var, found.std_error, 6.0),
        ("ES", found.es, found.es_std_error, -6.0),
    ):
        anchor, row = ("start", 16) if side > 0.0 else ("end", 36)
        if not math.isfinite(value):
            continue
        at, kind = x(-value), name.lower()
        words = f"{name} {number(value)}"
        if error > 0.0:
            left, right = x(-value - error), x(-value + error)
            parts.append(
                f'<rect class="{kind}-band" x="{left:.1f}" y="{top}" '
                f'width="{max(right - left, 1.0):.1f}" height="{height}"/>'
            )
            words += f" ± {number(error)}"
        parts.append(
            f'<line class="{kind}" x1="{at:.1f}" x2="{at:.1f}" y1="{row + 6}" y2="{top + height}"/>'
            f'<text class="name" x="{at + side:.1f}" y="{row}" text-anchor="{anchor}">'
            f"{words}</text>"
        )
    ends = "".join(
        f'<text x="{x(gain):.1f}" y="{top + height + 20}" text-anchor="{anchor}">'
        f"{number(gain, 0)}</text>"
        for gain, anchor in ((-reach, "start"), (0.0, "middle"), (reach, "end"))
    )
    return _svg("Profit and loss with VaR and ES", top + height + 28, "".join(parts) + ends)


def draw_bars(title: str, rows: Sequence[tuple[str, float, str]]) -> str:
    """Return a horizontal bar a row: a name, a gain (to the right) or loss, and what it says.

    Parameters
    ----------
    title : str
    rows : sequence of (name, gain, text)
        Gains negative where money is lost.
    """
    if not rows:
        return "<p>Nothing to show.</p>"
    names, wide, line = 190, _WIDTH - 400, 26
    gains = [0.0, *(gain for _, gain, _ in rows)]
    lowest, highest = min(gains), max(gains)
    span = max(highest - lowest, 1e-9)
    zero = names + (0.0 - lowest) / span * wide
    parts = []
    for place, (name, gain, text) in enumerate(rows):
        y, size = place * line, abs(gain) / span * wide
        left = zero - size if gain < 0.0 else zero
        kind = "lost" if gain < 0.0 else "won"
        parts.append(
            f'<text class="name" x="0" y="{y + 17}">{escape(name)}</text>'
            f'<rect class="{kind}" x="{left:.1f}" y="{y + 4}" width="{max(size, 0.5):.1f}" '
            f'height="{line - 8}"/><text x="{_WIDTH}" y="{y + 17}" text-anchor="end">'
            f"{escape(text)}</text>"
        )
    height = len(rows) * line
    rule = f'<line class="rule" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{height}"/>'
    return _svg(title, height + 4, rule + "".join(parts))


def draw_backtest(found: "RiskBacktest") -> str:
    """Return profit and loss day by day, above the lines of VaR and ES, with every exception."""
    height, gains = 330, 0.0 - found.losses
    lowest = float(min(gains.min(), (-found.es).min()))
    highest = float(max(gains.max(), 0.0))
    span = max(highest - lowest, 1e-9)
    count = len(gains)

    def y(value: float) -> float:
        return 8.0 + (highest - value) / span * height

    def x(row: int) -> float:
        return (row + 0.5) / count * _WIDTH

    shown = compute_shown_bars([gains, -found.var], points_max=_POINTS_MAX).tolist()
    zero = y(0.0)
    days = "".join(f"M{x(row):.1f} {zero:.1f}V{y(float(gains[row])):.1f}" for row in shown)

    def line(values: "Floats") -> str:
        return "M" + "L".join(f"{x(row):.1f} {y(float(values[row])):.1f}" for row in shown)

    hits = "".join(
        f'<circle class="hit" cx="{x(row):.1f}" cy="{y(float(gains[row])):.1f}" r="3.2"><title>'
        f"{session_date(int(found.ts_close_ns[row]))}: lost {number(float(found.losses[row]))}, "
        f"VaR {number(float(found.var[row]))}</title></circle>"
        for row in np.flatnonzero(found.hits).tolist()
    )
    first, last = (session_date(int(found.ts_close_ns[at])) for at in (0, -1))
    words = (
        f'<text x="0" y="{height + 30}">{first}</text>'
        f'<text x="{_WIDTH}" y="{height + 30}" text-anchor="end">{last}</text>'
        f'<text x="{_WIDTH}" y="{zero - 4:.1f}" text-anchor="end">0</text>'
        f'<text x="{_WIDTH}" y="{y(lowest) - 4:.1f}" text-anchor="end">{number(lowest, 0)}</text>'
    )
    rule = f'<line class="rule" x1="0" x2="{_WIDTH}" y1="{zero:.1f}" y2="{zero:.1f}"/>'
    lines = f'<path class="var" d="{line(-found.var)}"/><path class="es" d="{line(-found.es)}"/>'
    body = f'{rule}<path class="days" d="{days}"/>{lines}{hits}{words}'
    return _svg("Profit and loss, VaR and ES day by day", height + 38, body)


def _svg(title: str, height: float, body: str) -> str:
    return (
        f'<svg class="picture" viewBox="-4 -4 {_WIDTH + 8} {height + 8:.0f}" role="img" '
        f'aria-label="{escape(title)}">{body}</svg>'
    )
