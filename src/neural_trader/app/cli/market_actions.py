"""``neural-trader market-data actions``: the splits and dividends that a catalog knows."""

import json
from typing import TYPE_CHECKING, Any

import click

from neural_trader.core import ConfigError

if TYPE_CHECKING:
    from neural_trader.data.catalog import KnownActions


@click.command(
    "actions", short_help="List the splits and dividends of a catalog, or bring some in."
)
@click.option("--catalog", required=True, metavar="FOLDER", help="The catalog: a folder.")
@click.option(
    "--symbols",
    help="Comma-separated; by default all, or those of the file. Naming one tells that the file "
    "has all of its dividends.",
)
@click.option("--import", "source", metavar="FILE", help="A CSV or Parquet file to bring in.")
@click.option("--replace", is_flag=True, help="The file takes the place of what is known.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def actions_command(
    catalog: str, symbols: str | None, source: str | None, *, replace: bool, as_json: bool
) -> None:
    """List the splits and dividends that the files of a catalog know, or bring some in.

    The file has the columns symbol, ex_date, kind (split, stock-dividend, dividend, special), ratio
    or amount, and optionally currency.
    """
    from neural_trader.data import load_actions
    from neural_trader.data.catalog import Catalog

    wanted = _read_symbols(symbols)
    store = Catalog(catalog)
    skipped: list[str] = []
    if source is None:
        if replace:
            message = "--replace says what to do with a file; expected --import FILE beside it"
            raise ConfigError(message)
        known = store.actions(wanted)
    else:
        table = load_actions(source)
        known = store.keep_actions(table, wanted, replace_all=replace)
        skipped = sorted({*table.symbols} - {each.symbol for each in known})
    found = {
        "catalog": catalog,
        "actions": _rows(known),
        "series": [_series(each) for each in known],
        "skipped": skipped,
    }
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _print(found, imported=source is not None)


def _read_symbols(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        message = "--symbols names none; expected one or more, such as AAPL,MSFT"
        raise ConfigError(message)
    return names


def _rows(known: "list[KnownActions]") -> list[dict[str, Any]]:
    """Return each action once, whatever the number of frequencies: the columns of a table."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for each in known:
        for split in each.splits:
            rows[each.symbol, str(split.date), "split"] = {
                "ratio": split.ratio,
                "amount": None,
                "currency": "",
            }
        for paid in each.dividends or ():
            kind = "special-dividend" if paid.special else "dividend"
            rows[each.symbol, str(paid.date), kind] = {
                "ratio": None,
                "amount": paid.amount,
                "currency": paid.currency,
            }
    return [
        {"symbol": symbol, "ex_date": day, "kind": kind} | rows[symbol, day, kind]
        for symbol, day, kind in sorted(rows)
    ]


def _series(known: "KnownActions") -> dict[str, Any]:
    return {
        "symbol": known.symbol,
        "frequency": known.frequency,
        "splits": len(known.splits),
        "dividends": None if known.dividends is None else len(known.dividends),
        "added": known.added,
    }


def _print(found: dict[str, Any], *, imported: bool) -> None:
    """Print the actions as a table, and what became of a file."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if found["actions"]:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in found["actions"][0]:
            table.add_column(name, justify="right" if name in ("ratio", "amount") else "left")
        for row in found["actions"]:
            table.add_row(*("" if value is None else str(value) for value in row.values()))
        console.print(table)
    else:
        click.echo("no split and no dividend is known")
    unknown = sorted({each["symbol"] for each in found["series"] if each["dividends"] is None})
    if unknown:
        click.echo(f"dividends are not known of: {', '.join(unknown)}")
    if imported:
        added = sum(each["added"] for each in found["series"])
        click.echo(f"{added} new in {len(found['series'])} files")
        if found["skipped"]:
            click.echo(f"left out, not among the series: {', '.join(found['skipped'])}")
