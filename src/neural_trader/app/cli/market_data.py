"""``neural-trader market-data``: fetch bars, and look after the catalog that keeps them."""

import json
import time
from typing import TYPE_CHECKING, Any

import click

from neural_trader.app.cli.market_actions import actions_command
from neural_trader.app.cli.market_fetch import fetch_command
from neural_trader.app.cli.market_quality import quality_command
from neural_trader.app.cli.market_replay import replay_command
from neural_trader.core import ConfigError, DataError, unknown_symbol

if TYPE_CHECKING:
    from neural_trader.core import Bars
    from neural_trader.data.catalog import Check, Entry

_catalog = click.option("--catalog", required=True, metavar="FOLDER", help="The catalog: a folder.")
_frequency = click.option(
    "--frequency", default="1Day", show_default=True, help="Length of a bar: 1Day, 1Hour, 5Min."
)
# What a table has no room for.
_JSON_ONLY = frozenset({"adjustment", "bytes"})
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.group("market-data")
def market_data() -> None:
    """Fetch and keep market data."""


market_data.add_command(fetch_command)
market_data.add_command(quality_command)
market_data.add_command(actions_command)
market_data.add_command(replay_command)


@market_data.command("import", short_help="Bring files into a catalog.")
@click.argument("source", metavar="NAME|PATH")
@click.option(
    "--output", "--catalog", "output", required=True, metavar="FOLDER", help="The catalog."
)
@click.option("--symbols", help="Comma-separated; all by default.")
@click.option("--start", metavar="DATE", help="First session.")
@click.option("--end", metavar="DATE", help="Last session, inclusive.")
@_frequency
@click.option("--basis", help="raw, split-adjusted or total-return.  [default: from the columns]")
@click.option(
    "--on-conflict",
    type=click.Choice(("refuse", "new", "old")),
    default="refuse",
    show_default=True,
    help="A bar that is there with other values: an error, or which of the two counts.",
)
@click.option("--replace", is_flag=True, help="Replace series that are there, whatever they hold.")
@_as_json
def import_bars(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Bring a sample, a CSV or Parquet file or a folder of them into a catalog, validated."""
    from neural_trader.data import load
    from neural_trader.data.catalog import Catalog, Origin, time_text

    bars = load(
        options["source"],
        symbols=_names(options["symbols"]),
        start=options["start"],
        end=options["end"],
        basis=options["basis"],
        adjust="none",
    )
    written = Catalog(options["output"]).write(
        bars,
        Origin(provider="import", source=bars.name, adjustment=bars.basis, basis=bars.basis),
        at=time_text(time.time_ns() // 1_000_000_000 * 1_000_000_000),
        frequency=options["frequency"],
        on_conflict=options["on_conflict"],
        replace_all=options["replace"],
    )
    rows = [
        {
            "symbol": each.symbol,
            "added": each.added,
            "same": each.same,
            "replaced": each.replaced,
            "rows": each.provenance.rows,
            "first": each.provenance.first,
            "last": each.provenance.last,
        }
        for each in written
    ]
    _show(rows, {"catalog": options["output"], "source": bars.name}, options["as_json"], "symbols")


@market_data.command("list", short_help="List the series of a catalog.")
@_catalog
@_as_json
def list_series(catalog: str, as_json: bool) -> None:
    """List the series of a catalog: range, size, and where they come from."""
    rows = [_row(entry) for entry in _entries(catalog)]
    _show(rows, {"catalog": catalog}, as_json, "series")


@market_data.command("show", short_help="Show a series and its provenance.")
@click.argument("symbol")
@_catalog
@_frequency
@click.option("--rows", type=click.IntRange(min=0), default=5, show_default=True, help="Last bars.")
@_as_json
def show(symbol: str, catalog: str, frequency: str, *, rows: int, as_json: bool) -> None:
    """Show where a series comes from, and its last bars."""
    import msgspec

    from neural_trader.data.catalog import Catalog

    store = Catalog(catalog)
    bars = store.load([symbol], frequency=frequency)
    provenance = msgspec.to_builtins(store.provenance(symbol, frequency))
    tail = _plain_bars(bars, rows)
    if as_json:
        click.echo(json.dumps({"provenance": provenance, "bars": tail}, indent=2))
        return
    origin = provenance.pop("origin")
    for name, value in {**provenance, **origin}.items():
        if words := _words(name, value):
            click.echo(f"{name:<11} {words}")
    if tail:
        click.echo()
        _table(tail)


@market_data.command("verify", short_help="Check every file of a catalog.")
@_catalog
@click.option("--symbols", help="Comma-separated; all by default.")
@click.option("--calendar", metavar="MIC", help="Look for gaps: XNYS, XLON, ..., or 24/7.")
@_as_json
def verify(catalog: str, symbols: str | None, calendar: str | None, as_json: bool) -> None:
    """Read every file whole: checksums, the rules of bars and, with a calendar, gaps.

    Exit code 3 where a file is damaged or a session has no bar.
    """
    from neural_trader.data.catalog import Catalog

    store = Catalog(catalog)
    wanted = _names(symbols)
    every = store.entries()
    entries = [each for each in every if wanted is None or each.symbol in wanted]
    for symbol in wanted or ():
        if symbol not in {each.symbol for each in entries}:
            raise DataError(unknown_symbol(symbol, {e.symbol for e in every}, where=catalog))
    checks = [store.verify(entry, calendar) for entry in entries]
    _show([_checked(each) for each in checks], {"catalog": catalog}, as_json, "series")
    bad = [each for each in checks if each.fault or (each.gaps is not None and not each.gaps.whole)]
    if bad:
        first = bad[0].fault or f"{bad[0].entry.symbol}: {bad[0].gaps.summary()}"  # type: ignore[union-attr]
        message = f"faults or gaps in {len(bad)} of {len(checks)} files; the first: {first}"
        raise DataError(message)


@market_data.command("export", short_help="Write series to one file.")
@_catalog
@click.option("--output", required=True, metavar="FILE", help="A .csv or .parquet file to write.")
@click.option("--symbols", help="Comma-separated; all by default.")
@_frequency
@click.option("--start", metavar="DATE", help="First session.")
@click.option("--end", metavar="DATE", help="Last session, inclusive.")
@click.option(
    "--adjust",
    type=click.Choice(("none", "splits", "total-return")),
    default="none",
    show_default=True,
    help="Raw prices as they are, or adjusted for the splits, or dividends too, that files know.",
)
@_as_json
def export(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Write series to one long CSV or Parquet file: symbol, date or time, and the fields."""
    from neural_trader.data.catalog import Catalog, export_bars

    bars = Catalog(options["catalog"]).load(
        _names(options["symbols"]),
        frequency=options["frequency"],
        start=options["start"],
        end=options["end"],
        adjust=options["adjust"],
    )
    rows = export_bars(bars, options["output"], frequency=options["frequency"])
    found = {"output": options["output"], "rows": rows, "symbols": list(bars.symbols)}
    if options["as_json"]:
        click.echo(json.dumps(found | {"basis": bars.basis}, indent=2))
    else:
        click.echo(
            f"{rows:,} bars of {len(bars.symbols)} symbols ({bars.basis}) are in "
            f"{options['output']}"
        )


def _names(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        message = "--symbols names none; expected one or more, such as AAPL,MSFT"
        raise ConfigError(message)
    return names


def _entries(catalog: str) -> "list[Entry]":
    from neural_trader.data.catalog import Catalog

    return Catalog(catalog).entries()


def _row(entry: "Entry") -> dict[str, Any]:
    """Return what a list says about a file."""
    kept = entry.provenance
    origin = None if kept is None else kept.origin
    return {
        "symbol": entry.symbol,
        "frequency": entry.frequency,
        "rows": kept.rows if kept else None,
        "first": kept.first if kept else None,
        "last": kept.last if kept else None,
        "provider": origin.provider if origin else None,
        "feed": origin.feed if origin else None,
        "adjustment": origin.adjustment if origin else None,
        "basis": origin.basis if origin else None,
        "bytes": entry.bytes,
        "fault": entry.fault,
    }


def _checked(check: "Check") -> dict[str, Any]:
    """Return what a check says about a file."""
    gaps = check.gaps
    row = {
        "symbol": check.entry.symbol,
        "frequency": check.entry.frequency,
        "ok": not check.fault and (gaps is None or gaps.whole),
        "fault": check.fault,
        "gaps": "not checked" if gaps is None else gaps.summary(),
    }
    if gaps is not None:
        for name in ("missing", "extra", "short"):
            row[name] = [str(day) for day in getattr(gaps, name)]
    return row


def _words(name: str, value: Any) -> str:  # noqa: ANN401 - a value of any field
    """Return a field of a provenance as people read it; empty where it holds nothing."""
    if not value or isinstance(value, (str, int)):
        return _cell(value) if value else ""
    if name == "dividends":
        return f"{len(value):,} known"
    if name == "covered":
        parts = [f"{first} to {last}" for first, last in value]
    elif name == "splits":
        parts = [f"{each['ratio']:g}:1 on {each['date']}" for each in value]
    elif name == "writes":
        parts = [f"{w['added']:,} added, {w['replaced']:,} replaced at {w['at']}" for w in value]
    else:
        parts = [str(each) for each in value]
    return "; ".join(parts)


def _plain_bars(bars: "Bars", count: int) -> list[dict[str, Any]]:
    """Return the last bars as JSON can hold them."""
    from neural_trader.data.catalog import time_text

    (block,) = bars.blocks
    places = range(max(len(block.ts_close_ns) - count, 0), len(block.ts_close_ns))
    return [
        {"time": time_text(block.ts_close_ns[at])}
        | {name: float(values[0, at]) for name, values in block.fields.items()}
        for at in places
    ]


def _show(rows: list[dict[str, Any]], head: dict[str, Any], as_json: bool, name: str) -> None:
    if as_json:
        click.echo(json.dumps(head | {name: rows}, indent=2))
    elif rows:
        _table(rows)
    else:
        click.echo("the catalog is empty")


def _table(rows: list[dict[str, Any]]) -> None:
    """Print rows as a table; columns that hold nothing are left out."""
    from rich.console import Console
    from rich.table import Table

    names = [
        name
        for name in rows[0]
        if any(row.get(name) not in ("", None) for row in rows)
        and not isinstance(rows[0][name], list)
        and name not in _JSON_ONLY
    ]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        number = isinstance(rows[0][name], (int, float))
        table.add_column(name, justify="right" if number else "left")
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in names))
    Console().print(table)


def _cell(value: Any) -> str:  # noqa: ANN401 - a cell of any column
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    text = "" if value is None else str(value)
    # A daily bar closes with its UTC day: people read the date.
    return text.removesuffix("T23:59:59.999999999Z")
