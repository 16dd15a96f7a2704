"""An evaluation card as text in the terminal."""

import textwrap
from typing import TYPE_CHECKING, Any, Final

from neural_trader.core import DataError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDTH_MAX: Final = 100
_SERIES_MAX: Final = 25
Found = dict[str, Any]


def print_card(card: Found, console: "Console | None" = None) -> None:
    """Print how forecasts were judged: the verdict first, then what it rests on.

    Parameters
    ----------
    card : dict
        From ``nt.forecast.train(...).card`` or ``nt.forecast.evaluate``.
    console : rich.console.Console, optional
        Standard output by default.

    Raises
    ------
    DataError
        The card is empty: the network was imported, and not judged.
    """
    check_card(card)
    from rich.console import Console
    from rich.table import Table

    console = console or Console()
    for line in textwrap.wrap(card["verdict"], min(console.width, _WIDTH_MAX)):
        console.print(line, style="bold", highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in rows(card):
        table.add_row(name, value)
    console.print()
    console.print(table)
    console.print()
    console.print(_series(card))


def check_card(card: Found) -> None:
    """Refuse an empty card.

    Raises
    ------
    DataError
        The network was not judged.
    """
    if "verdict" not in card or "skill" not in card:
        message = (
            "this network has no evaluation card: it was imported, and not judged; train one with "
            "`neural-trader neural train`"
        )
        raise DataError(message)


def rows(card: Found) -> list[tuple[str, str]]:
    """Return the figures of a card by name, for reading."""
    test, way, trials = card["test"], card["direction"], card["trials"]
    found = [
        (
            "test",
            f"{test['from']} to {test['to']}, {test['origins']:,} origins, {test['folds']} fits",
        ),
        *((f"skill over {name}", share(value, 2)) for name, value in card["skill"].items()),
        *(
            (f"Diebold-Mariano, {name}", f"p = {value['p_value']:.3f}, {value['lags']} lags")
            for name, value in card["diebold_mariano"].items()
        ),
        ("hit rate less always up", share(way | {"value": way["difference"]}, 2)),
        ("says up", f"{100.0 * way['says_up']:.1f} % of the time"),
    ]
    across = card["cross_section"]
    if "reason" in across:
        found.append(("across series", f"n/a: {across['reason']}"))
    else:
        found.append(("skill less the market", share(across["demeaned_skill"], 2)))
        found.append(("rank IC", plain(across["rank_ic"], 3)))
    for source, ladder in card["coverage"].items():
        for rung in ladder:
            name = f"coverage of {100.0 * rung['level']:g} %, {source}"
            found.append(
                (name, f"{_part(rung['overall'])}; {_part(rung['volatile'])} when volatile")
            )
    trade = card["trading"]
    if "reason" in trade:
        found.append(("Sharpe", f"n/a: {trade['reason']}"))
    else:
        found.append(
            (
                f"Sharpe net of {trade['cost_bps']:g} bps",
                f"{_figure(trade['sharpe'])} against {_figure(trade['buy_and_hold'])} of "
                "buy-and-hold; "
                f"{plain(trade | {'value': trade['difference']}, 2)}",
            )
        )
    found.append(("trials", f"{trials['count']}: {trials['counted']}"))
    return found


def share(found: Found, digits: int) -> str:
    """Return a part with its interval as percent."""
    return _with_ends(found, digits, 100.0, " %")


def plain(found: Found, digits: int) -> str:
    """Return a figure with its interval."""
    return _with_ends(found, digits, 1.0, "")


def _with_ends(found: Found, digits: int, factor: float, unit: str) -> str:
    if found["value"] is None:
        return "undefined"
    text = f"{factor * found['value']:+.{digits}f}{unit}"
    if found["lower"] is None:
        return text
    ends = " to ".join(f"{factor * found[end]:+.{digits}f}" for end in ("lower", "upper"))
    return f"{text} [{ends}]"


def _part(value: float | None) -> str:
    return "n/a" if value is None else f"{100.0 * value:.1f} %"


def _figure(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"


def _series(card: Found) -> "Table":
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("series", "skill over naive", "drift", "p against naive", "drift", "Holm", "from"):
        table.add_column(name, justify="left" if name == "series" else "right")
    by_series = card["by_series"]
    for name, found in list(by_series.items())[:_SERIES_MAX]:
        table.add_row(
            name,
            *(share(value | {"lower": None}, 2) for value in found["skill"].values()),
            *(f"{value['p_value']:.3f}" for value in found["diebold_mariano"].values()),
            f"{found['p_value_holm']:.3f}",
            card["model"] if found["is_passed"] else card["gate"]["baseline"],
        )
    if len(by_series) > _SERIES_MAX:
        table.add_row(f"and {len(by_series) - _SERIES_MAX} more: --json")
    return table
