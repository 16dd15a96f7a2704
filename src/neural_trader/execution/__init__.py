"""The order path: limits, gateway, journal, wire, client and recovery; ``venues`` beside them.

Names are imported from their modules when they are first used: a client needs no gateway.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neural_trader.execution.client import (
        BlockingClient,
        Client,
        ClientSession,
        LiveFill,
        LivePosition,
        SentOrder,
        read_address,
    )
    from neural_trader.execution.compaction import Compacted, compact, uncompacted
    from neural_trader.execution.config import GatewayConfig, read_config
    from neural_trader.execution.gateway import Gateway
    from neural_trader.execution.handover import restore
    from neural_trader.execution.limits import Limits
    from neural_trader.execution.listing import Listing
    from neural_trader.execution.metrics import GatewayCollector, Histogram, serve_metrics
    from neural_trader.execution.server import GatewayServer
    from neural_trader.execution.takeover import Predecessor, Successor, Taken
    from neural_trader.execution.tokens import TOKEN_BYTES, Grant, hash_token

__all__ = [
    "TOKEN_BYTES",
    "BlockingClient",
    "Client",
    "ClientSession",
    "Compacted",
    "Gateway",
    "GatewayCollector",
    "GatewayConfig",
    "GatewayServer",
    "Grant",
    "Histogram",
    "Limits",
    "Listing",
    "LiveFill",
    "LivePosition",
    "Predecessor",
    "SentOrder",
    "Successor",
    "Taken",
    "compact",
    "hash_token",
    "read_address",
    "read_config",
    "restore",
    "serve_metrics",
    "uncompacted",
]

_MODULES = {
    "client": (
        "BlockingClient",
        "Client",
        "ClientSession",
        "LiveFill",
        "LivePosition",
        "SentOrder",
        "read_address",
    ),
    "compaction": ("Compacted", "compact", "uncompacted"),
    "config": ("GatewayConfig", "read_config"),
    "gateway": ("Gateway",),
    "handover": ("restore",),
    "limits": ("Limits",),
    "listing": ("Listing",),
    "metrics": ("GatewayCollector", "Histogram", "serve_metrics"),
    "server": ("GatewayServer",),
    "takeover": ("Predecessor", "Successor", "Taken"),
    "tokens": ("TOKEN_BYTES", "Grant", "hash_token"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first used."""
    if name not in _HOMES:
        message = f"module 'neural_trader.execution' has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(f"neural_trader.execution.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
