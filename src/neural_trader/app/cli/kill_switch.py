"""``neural-trader kill-switch``: stop an account."""

import json
import time
from pathlib import Path
from typing import Final

import click

from neural_trader.app.cli.gateway_options import connect, gateway

_WAIT_S: Final = 2.0
_POLL_S: Final = 0.02


@click.command("kill-switch")
@click.argument("state", type=click.Choice(["on", "off"]))
@gateway
def kill_switch(state: str, address: str, token_file: Path | None, as_json: bool) -> None:
    """Turn the account's kill switch on or off.

    On: every open order is canceled, and a new one passes only if it reduces a position. The
    command waits for the venue to cancel them, for two seconds at most.
    """
    with connect(address, token_file) as client:
        client.kill_switch(on=state == "on")
        until = time.monotonic() + _WAIT_S
        still_open = len(client.open_orders())
        while state == "on" and still_open and time.monotonic() < until:
            time.sleep(_POLL_S)
            still_open = len(client.open_orders())
    if as_json:
        click.echo(json.dumps({"kill_switch": state, "open_orders": still_open}, indent=2))
        return
    late = ": the venue has not canceled them yet" if state == "on" and still_open else ""
    click.echo(f"kill switch {state}; open orders: {still_open}{late}")
