"""``neural-trader positions``: what an account holds."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neural_trader.app.cli.gateway_options import connect, gateway

if TYPE_CHECKING:
    from neural_trader.execution import LivePosition

_DECIMALS_MAX = 6
_COLUMNS = ("symbol", "qty", "avg_price", "mark", "unrealized_pnl", "realized_pnl", "fees")


@click.command("positions")
@gateway
def positions(address: str, token_file: Path | None, as_json: bool) -> None:
    """Show cash, equity and positions of the token's account."""
    with connect(address, token_file) as client:
        account, found = client.account(), client.positions()
    if as_json:
        whole = {name: _plain(value) for name, value in account.items()}
        rows = [{name: _plain(getattr(item, name)) for name in _COLUMNS} for item in found]
        click.echo(json.dumps(whole | {"positions": rows}, indent=2))
        return
    equity = "unknown, a position has no price" if account["equity"] is None else account["equity"]
    killed = ", kill switch ON" if account["is_killed"] else ""
    click.echo(f"account {account['name']}: cash {account['cash']}, equity {equity}{killed}")
    if found:
        _show(found)


def _show(found: "list[LivePosition]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for name in _COLUMNS:
        table.add_column(name.replace("_", " "), justify="left" if name == "symbol" else "right")
    for item in found:
        table.add_row(*(_cell(getattr(item, name)) for name in _COLUMNS))
    Console(highlight=False).print(table)


def _cell(value: Any) -> str:  # noqa: ANN401 - text or a number
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    # Money and prices keep their own decimals; an average that does not end is cut.
    return f"{value:,.6f}" if value.as_tuple().exponent < -_DECIMALS_MAX else f"{value:,}"


def _plain(value: Any) -> Any:  # noqa: ANN401 - what JSON can hold
    return value if value is None or isinstance(value, bool | int | str) else str(value)
