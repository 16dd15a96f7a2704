"""``neural-trader market-data fetch``: bars from a provider into a catalog."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from neural_trader.core import ConfigError, DataError

if TYPE_CHECKING:
    from neural_trader.data.providers import Outcome, Provider

_PROVIDERS = ("alpaca", "yahoo", "http", "local", "samples")
# Which options a provider understands: one that would be ignored is an error.
_OPTIONS = {
    "alpaca": {"feed", "adjustment", "url", "per_minute", "timeout", "tries"},
    "yahoo": {"adjustment", "timeout", "tries"},
    "http": {"url", "basis", "per_minute", "timeout", "tries"},
    "local": {"source", "basis"},
    "samples": {"source"},
}


@click.command("fetch", short_help="Fetch bars from a provider.")
@click.option("--symbols", required=True, help="Comma-separated, such as AAPL,BRK.B,BTC/USD.")
@click.option("--start", required=True, metavar="DATE", help="First session.")
@click.option("--end", metavar="DATE", help="Last session, inclusive.  [default: today]")
@click.option(
    "--provider", type=click.Choice(_PROVIDERS), required=True, help="Where the bars come from."
)
@click.option(
    "--output", "--catalog", "output", required=True, metavar="FOLDER", help="The catalog."
)
@click.option("--frequency", default="1Day", show_default=True, help="Length of a bar.")
@click.option("--feed", help="alpaca: iex (default), sip, otc, boats.")
@click.option(
    "--adjustment", help="alpaca: raw (default), split, all; yahoo: split (default), all."
)
@click.option("--basis", help="http, local: raw, split-adjusted or total-return.")
@click.option("--source", metavar="NAME|PATH", help="local: a file or folder; samples: a sample.")
@click.option("--url", help="http: https://HOST/{symbol}.csv; alpaca: another address of the API.")
@click.option("--workers", type=int, default=16, show_default=True, help="Symbols at once.")
@click.option("--per-minute", type=int, help="Most requests a minute.  [default: alpaca 200]")
@click.option("--timeout", type=float, help="Seconds that a request may take.  [default: 60]")
@click.option("--tries", type=int, help="Tries of a request.  [default: 8]")
@click.option("--refresh", is_flag=True, help="Fetch days again that were fetched before.")
@click.option(
    "--on-conflict",
    type=click.Choice(("refuse", "new", "old")),
    default="refuse",
    show_default=True,
    help="A bar that is there with other values: an error, or which of the two counts.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def fetch_command(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Fetch bars from a provider into a catalog: what is there already is not asked for again.

    Alpaca's keys come from APCA_API_KEY_ID and APCA_API_SECRET_KEY in the environment.
    """
    import asyncio

    from neural_trader.data.catalog import Catalog
    from neural_trader.data.providers import fetch, plan

    symbols = tuple(name.strip() for name in options["symbols"].split(",") if name.strip())
    wanted = plan(
        symbols,
        frequency=options["frequency"],
        start=options["start"],
        end=options["end"],
        now_ns=time.time_ns(),
        refresh=options["refresh"],
        on_conflict=options["on_conflict"],
        workers=options["workers"],
    )
    provider = _provider(options)
    catalog = Catalog(options["output"])
    done: list[Outcome] = []
    try:
        with _progress(len(symbols)) as step:

            def on_done(outcome: "Outcome") -> None:
                done.append(outcome)
                step()

            outcomes = asyncio.run(fetch(provider, catalog, wanted, on_done=on_done))
    except KeyboardInterrupt:
        words = f"{len(done)} of {len(symbols)} symbols are done; run the same command to go on"
        click.echo(words, err=True)
        raise
    if options["as_json"]:
        found: dict[str, Any] = {
            "catalog": str(catalog.folder),
            "provider": options["provider"],
            "frequency": wanted.frequency.name,
            "start": str(wanted.start),
            "end": str(wanted.end),
            "symbols": [_plain(outcome) for outcome in outcomes],
        }
        click.echo(json.dumps(found, indent=2))
    else:
        _print(outcomes)
    _raise_failed(outcomes)


def _plain(outcome: "Outcome") -> dict[str, Any]:
    """Return an outcome as JSON can hold it."""
    missing = [[str(first), str(last)] for first, last in outcome.missing]
    return outcome._asdict() | {"missing": missing}


def _print(outcomes: "list[Outcome]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("symbol")
    table.add_column("")
    for name in ("added", "same", "replaced", "not closed yet"):
        table.add_column(name, justify="right")
    for each in outcomes:
        counts = (each.added, each.same, each.replaced, each.unfinished)
        table.add_row(each.symbol, each.status, *(f"{count:,}" for count in counts))
    console = Console()
    console.print(table)
    for each in outcomes:
        if each.error:
            days = ", ".join(f"{first} to {last}" for first, last in each.missing)
            console.print(
                f"{each.symbol} lacks {days}: {each.error}", highlight=False, markup=False
            )


def _raise_failed(outcomes: "list[Outcome]") -> None:
    """Raise where a symbol failed, after all have been told."""
    failed = [each for each in outcomes if each.status == "failed"]
    if failed:
        message = (
            f"{len(failed)} of {len(outcomes)} symbols failed; the first, {failed[0].symbol}: "
            f"{failed[0].error}"
        )
        raise DataError(message)


def _provider(options: dict[str, Any]) -> "Provider":
    """Make the provider that the options describe."""
    import random

    from neural_trader.data import samples
    from neural_trader.data.providers import Alpaca, Files, HttpFiles, Keys, Patience, Yahoo

    name = options["provider"]
    given = {
        each for names in _OPTIONS.values() for each in names if options[each] is not None
    } - _OPTIONS[name]
    if given:
        listed = ", ".join(f"--{each.replace('_', '-')}" for each in sorted(given))
        message = f"{listed} does not go with --provider {name}. Leave it out"
        raise ConfigError(message)
    patience = Patience(
        random.Random().random,  # noqa: S311 - it spreads waits; it hides nothing
        tries=_positive(options, "tries", 8),
        timeout_s=_positive(options, "timeout", 60.0),
    )
    chosen = {each: options[each] for each in _OPTIONS[name] if options[each] is not None}
    for each in ("timeout", "tries"):
        chosen.pop(each, None)
    if name == "alpaca":
        keys = Keys(
            os.environ.get("APCA_API_KEY_ID", ""), os.environ.get("APCA_API_SECRET_KEY", "")
        )
        return Alpaca(keys, patience, connections=options["workers"], **chosen)
    if name == "yahoo":
        return Yahoo(patience, **chosen)
    if name == "http":
        if "url" not in chosen:
            message = "--provider http needs --url, such as https://HOST/{symbol}.csv"
            raise ConfigError(message)
        return HttpFiles(chosen.pop("url"), patience, connections=options["workers"], **chosen)
    if name == "local":
        if "source" not in chosen:
            message = "--provider local needs --source: a CSV or Parquet file, or a folder of them"
            raise ConfigError(message)
        return Files(chosen.pop("source"), **chosen)
    source = chosen.get("source", "us-ohlcv")
    known = [sample.name for sample in samples()]
    if source not in known:
        message = f"--source is {source!r}; expected a sample: {', '.join(known)}"
        raise ConfigError(message)
    return Files(source, provider="samples")


def _positive(options: dict[str, Any], name: str, default: Any) -> Any:  # noqa: ANN401 - a number
    value = default if options[name] is None else options[name]
    if not value > 0:
        message = f"--{name} is {value}; expected more than 0"
        raise ConfigError(message)
    return value


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """Show how many symbols are done, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("symbols", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("symbols", total=total)
        yield lambda: bar.advance(task)
