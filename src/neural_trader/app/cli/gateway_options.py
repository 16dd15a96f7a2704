"""The options that say which gateway to talk to, shared by the commands that do."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neural_trader.core import ConfigError

if TYPE_CHECKING:
    from neural_trader.execution import BlockingClient, SentOrder

TOKEN_VARIABLE = "NEURAL_TRADER_TOKEN"  # noqa: S105 - the name of a variable


def gateway(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--gateway``, ``--token-file`` and ``--json``."""
    options = (
        click.option(
            "--gateway",
            "address",
            default="127.0.0.1:7701",
            show_default=True,
            metavar="HOST:PORT",
            help="Where the gateway listens.",
        ),
        click.option(
            "--token-file",
            type=click.Path(path_type=Path),
            help=f"A file that holds the token; without it, the variable {TOKEN_VARIABLE}.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def connect(address: str, token_file: Path | None) -> "BlockingClient":
    """Return a client that is still to be entered; its token is never an argument."""
    from neural_trader.execution import BlockingClient

    if token_file is not None:
        token = token_file.read_text(encoding="utf-8").strip()
    else:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        message = (
            f"there is no token; put it into the variable {TOKEN_VARIABLE} or a file for "
            "--token-file (`neural-trader token new` makes one)"
        )
        raise ConfigError(message)
    return BlockingClient(address, token=token)


def plain_order(order: "SentOrder") -> dict[str, object]:
    """Return an order as JSON can hold it."""
    return {
        "no": order.no,
        "symbol": order.symbol,
        "qty": str(order.qty),
        "kind": order.kind,
        "tif": order.tif,
        "limit": None if order.limit is None else str(order.limit),
        "stop": None if order.stop is None else str(order.stop),
        "status": order.status,
        "filled_qty": str(order.filled_qty),
        "reason": order.reason,
        "found": order.found,
        "allowed": order.allowed,
    }


def text_order(order: "SentOrder") -> str:
    """Return an order as a line."""
    prices = [f"limit {order.limit}"] if order.limit is not None else []
    prices += [f"stop {order.stop}"] if order.stop is not None else []
    terms = " ".join((f"{order.qty:+}", order.symbol, *(prices or ["at market"]), order.tif))
    line = f"order {order.no}: {terms}: {order.status}, filled {order.filled_qty}"
    if order.reason:
        line += f" ({order.reason}"
        line += f": {order.found:,}, allowed {order.allowed:,})" if order.allowed else ")"
    return line
