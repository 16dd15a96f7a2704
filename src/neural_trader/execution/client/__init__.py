"""The client's side: submit orders, follow them, and come back after whatever broke."""

from neural_trader.execution.client.address import read_address
from neural_trader.execution.client.asynchronous import Client
from neural_trader.execution.client.blocking import BlockingClient
from neural_trader.execution.client.session import (
    ClientSession,
    LiveFill,
    LivePosition,
    SentOrder,
)

__all__ = [
    "BlockingClient",
    "Client",
    "ClientSession",
    "LiveFill",
    "LivePosition",
    "SentOrder",
    "read_address",
]
