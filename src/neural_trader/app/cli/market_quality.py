"""``neural-trader market-data quality``: look through data before trading on it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from neural_trader.core import ConfigError, DataError

if TYPE_CHECKING:
    from neural_trader.data.quality import Finding, Quality

_SHOWN_MAX: Final = 20


@click.command("quality", short_help="Find gaps, bad prints, stale runs, splits, wrong times.")
@click.option("--data", metavar="NAME|PATH", help="A sample, a file, or a folder of files.")
@click.option("--catalog", metavar="FOLDER", help="Or a catalog.")
@click.option("--frequency", help="Of the catalog's series.  [default: 1Day]")
@click.option("--symbols", help="Comma-separated; all by default.")
@click.option("--start", metavar="DATE", help="First session.")
@click.option("--end", metavar="DATE", help="Last session, inclusive.")
@click.option("--calendar", metavar="MIC", help="The exchange's sessions: XNYS, XLON, ..., 24/7.")
@click.option("--report", metavar="FILE", help="Write an HTML page to this file.")
@click.option(
    "--fail-on",
    type=click.Choice(("error", "warning", "note")),
    help="Exit code 3 where there is a finding as bad as this.  [default: never]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def quality_command(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Look through data for what a person should know before trading on it.

    Nothing is changed. Known splits and real moves that stay are no faults.
    """
    from neural_trader.data.quality import SEVERITIES, check_quality
    from neural_trader.reports import print_quality, quality_report

    with _progress() as progress:
        found = check_quality(
            _source(options["data"], options["catalog"], options["frequency"]),
            symbols=_names(options["symbols"]),
            start=options["start"],
            end=options["end"],
            calendar=options["calendar"] or "",
            frequency=options["frequency"] or "1Day",
            progress=progress,
        )
    page = quality_report(found, options["report"]) if options["report"] else None
    if options["as_json"]:
        click.echo(json.dumps(_plain(found) | {"report": page and str(page)}, indent=2))
    else:
        print_quality(found, findings_max=_SHOWN_MAX)
        if page:
            click.echo(f"\nthe page is {page}")
    if options["fail_on"]:
        worst = SEVERITIES[: SEVERITIES.index(options["fail_on"]) + 1]
        bad = [one for one in found.findings if one.severity in worst]
        if bad:
            message = (
                f"{len(bad)} findings are as bad as --fail-on {options['fail_on']}; the first: "
            )
            raise DataError(message + f"{bad[0].symbol} {bad[0].first} {bad[0].message}".strip())


def _source(data: str | None, catalog: str | None, frequency: str | None) -> object:
    if (data is None) == (catalog is None):
        message = "give the data to look at: either --data NAME|PATH or --catalog FOLDER"
        raise ConfigError(message)
    if data is not None:
        if frequency is not None:
            message = "--frequency chooses series of a --catalog; --data is looked at as it is"
            raise ConfigError(message)
        return data
    from neural_trader.data.catalog import Catalog

    return Catalog(str(catalog))


def _names(text: str | None) -> list[str] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        message = "--symbols names none; expected one or more, such as AAPL,MSFT"
        raise ConfigError(message)
    return names


def _plain(found: "Quality") -> dict[str, Any]:
    """Return findings as JSON can hold them."""
    return {
        "data": found.name,
        "symbols": list(found.symbols),
        "calendar": found.calendar or None,
        "counts": found.counts,
        "by_symbol": {symbol: dict(counts) for symbol, counts in found.by_symbol().items()},
        "findings": [_finding(one) for one in found.findings],
    }


def _finding(one: "Finding") -> dict[str, Any]:
    from neural_trader.data.quality import COLUMNS

    found = {name: getattr(one, name) for name in COLUMNS}
    # Where there is no symbol or time, JSON says so.
    return {name: None if value == "" else value for name, value in found.items()}


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show how many symbols are done, where somebody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("symbols"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    # A file or pipe gets no lines of it.
    shown = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with shown:
        task = shown.add_task("", total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
