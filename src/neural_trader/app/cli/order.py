"""``neural-trader order``: send, change, cancel and list orders at a running gateway."""

import json
from pathlib import Path

import click

from neural_trader.app.cli.gateway_options import connect, gateway, plain_order, text_order
from neural_trader.core import RunRefused


@click.group()
def order() -> None:
    """Send, change, cancel and list orders at a running gateway."""


# A quantity such as -100 is an argument, not an option.
@order.command("send", context_settings={"ignore_unknown_options": True})
@click.argument("symbol")
@click.argument("qty")
@click.option("--limit", help="Limit price, as decimal text.")
@click.option("--stop", help="Trigger price; with --limit the stop wakes a limit.")
@click.option(
    "--tif",
    type=click.Choice(["GTC", "DAY", "IOC", "FOK"], case_sensitive=False),
    default="GTC",
    show_default=True,
    help="How long the order works.",
)
@click.option("--reduce-only", is_flag=True, help="Deny it unless it only reduces the position.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0.0),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long for the order to end before it is printed.",
)
@gateway
def send(  # noqa: PLR0913, PLR0917 - one parameter an option
    symbol: str,
    qty: str,
    limit: str | None,
    stop: str | None,
    tif: str,
    reduce_only: bool,
    wait_s: float,
    address: str,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Send an order for QTY units of SYMBOL: +100 buys, -100 sells.

    Prints it once the venue has answered. Exit code 4 if it was denied or rejected.
    """
    with connect(address, token_file) as client:
        sent = client.submit(
            symbol,
            qty,
            limit=limit,
            stop=stop,
            tif=tif,  # type: ignore[arg-type]
            reduce_only=reduce_only,
        )
        if sent.is_open and wait_s:
            client.wait(sent, wait_s)
        click.echo(json.dumps(plain_order(sent), indent=2) if as_json else text_order(sent))
    if sent.status in ("denied", "rejected"):
        message = f"order {sent.no} was {sent.status}: {sent.reason}"
        raise RunRefused(message)


@order.command("replace")
@click.argument("no", type=click.IntRange(1))
@click.option("--qty", help="The new total quantity, with its sign.")
@click.option("--limit", help="The new limit price.")
@click.option("--stop", help="The new trigger price.")
@gateway
def replace(  # noqa: PLR0917 - one parameter an option
    no: int,
    qty: str | None,
    limit: str | None,
    stop: str | None,
    address: str,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Change the open order numbered NO. Exit code 4 if it could not be changed."""
    with connect(address, token_file) as client:
        found = {item.no: item for item in client.open_orders()}.get(no)
        if found is None:
            message = f"order {no} is not open; `neural-trader order list` shows those that are"
            raise RunRefused(message)
        reason = client.replace(found, qty=qty, limit=limit, stop=stop)
        click.echo(json.dumps(plain_order(found), indent=2) if as_json else text_order(found))
    if reason:
        message = f"order {no} is as it was: {reason}"
        raise RunRefused(message)


@order.command("cancel")
@click.argument("no", type=click.IntRange(1))
@gateway
def cancel(no: int, address: str, token_file: Path | None, as_json: bool) -> None:
    """Cancel the open order numbered NO. Exit code 4 if it had ended already."""
    with connect(address, token_file) as client:
        is_canceled = client.cancel(no)
    if as_json:
        click.echo(json.dumps({"no": no, "is_canceled": is_canceled}, indent=2))
    elif is_canceled:
        click.echo(f"order {no}: canceled")
    if not is_canceled:
        message = f"order {no} was not canceled: it is not open, or ended first"
        raise RunRefused(message)


@order.command("list")
@gateway
def list_orders(address: str, token_file: Path | None, as_json: bool) -> None:
    """List the account's open orders."""
    with connect(address, token_file) as client:
        found = client.open_orders()
    if as_json:
        click.echo(json.dumps([plain_order(item) for item in found], indent=2))
        return
    click.echo("\n".join(text_order(item) for item in found) or "no open orders")
