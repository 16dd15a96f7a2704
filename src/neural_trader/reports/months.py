"""The table of returns by month and year, as a heat map."""

import math
from typing import Final

import numpy as np

from neural_trader.portfolio import YearOfReturns
from neural_trader.reports.formats import cell, head, number, tone

YEARS_MAX: Final = 100
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
# A color beyond this would leave its number hard to read.
_HEAT_MAX: Final = 55


def months(years: list[YearOfReturns]) -> str:
    """Return months and years as a table, the latest ``YEARS_MAX`` years."""
    shown = years[-YEARS_MAX:]
    known = np.abs([month for year in shown for month in year.months if not math.isnan(month)])
    # Of the few extreme months one would leave all others pale.
    full = float(np.quantile(known, 0.95)) if len(known) else 0.0
    body = "".join(
        f'<tr><th scope="row">{year.year}</th>'
        + "".join(_cell(value, heat=full) for value in year.months)
        + _cell(year.total, "total")
        + "</tr>"
        for year in shown
    )
    left_out = (
        f"<p>These are the last {len(shown)} of {len(years)} years.</p>"
        if len(shown) < len(years)
        else ""
    )
    return (
        f'{left_out}<div class="scroll months" tabindex="0" role="region" aria-label="Returns">'
        "<table><caption>Returns by month and year, percent; a dot: no change</caption>"
        f"{head(['year', *_MONTHS, 'whole year'], {'year'})}<tbody>{body}</tbody></table></div>"
    )


def _cell(value: float, kind: str = "", heat: float = 0.0) -> str:
    if math.isnan(value):
        return cell("", kind)
    text = "·" if value == 0.0 else number(value * 100.0, 1)
    told = cell(text, f"{kind} {tone(value * 100.0, 1) if value else 'flat'}")
    share = round(min(abs(value) / heat, 1.0) * _HEAT_MAX) if heat > 0.0 else 0
    return told.replace("<td", f'<td style="--heat:{share}%"', 1) if share else told
