"""``neural-trader kill-switch``: stop an account."""

import json
from pathlib import Path

import click

from neural_trader.app.cli.gateway_options import connect, gateway


@click.command("kill-switch")
@click.argument("state", type=click.Choice(["on", "off"]))
@gateway
def kill_switch(state: str, address: str, token_file: Path | None, as_json: bool) -> None:
    """Turn the account's kill switch on or off.

    On: every open order is canceled, and a new one passes only if it reduces a position.
    """
    with connect(address, token_file) as client:
        client.kill_switch(on=state == "on")
        still_open = len(client.open_orders())
    if as_json:
        click.echo(json.dumps({"kill_switch": state, "open_orders": still_open}, indent=2))
        return
    click.echo(f"kill switch {state}; open orders: {still_open}")
