"""The event loop of the commands that serve: uvloop where there is one, and TLS from files."""

import asyncio
import gc
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from neural_trader.core import ConfigError


def run_in_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, on uvloop where the platform has it."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None
    collect_rarely()
    try:
        import uvloop
    except ImportError:  # Windows has none.
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(work)


def collect_rarely() -> None:
    """Keep the collector of garbage from what is there now, and from whatever lives long."""
    # A full collection walks through every order that is remembered, for some 10 ms, and finds
    # nothing: orders make no cycles. What connections leave behind the young generations take.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 1_000)


def server_context(cert: str, key: str) -> ssl.SSLContext | None:
    """Return what a server needs to speak TLS, or None where it speaks it not.

    Raises
    ------
    ConfigError
        One of certificate and key is missing, or they do not fit each other.
    """
    if not cert and not key:
        return None
    if not cert or not key:
        message = "TLS needs both a certificate and its key"
        raise ConfigError(message)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        message = f"cannot use certificate {cert} with key {key}: {error}"
        raise ConfigError(message) from error
    return context


def venue_context(cert: str) -> ssl.SSLContext | None:
    """Return what a client needs to check a server's certificate, or None without one."""
    if not cert:
        return None
    try:
        return ssl.create_default_context(cafile=cert)
    except (OSError, ssl.SSLError) as error:
        message = f"cannot read the certificate {cert}: {error}"
        raise ConfigError(message) from error
