"""How long clients with TLS are away when a gateway is taken over: they reconnect and resume."""

import asyncio
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from neural_trader.bench.orders_stack import Stack, placements
from neural_trader.core import BenchError
from neural_trader.execution import Client

CLIENTS: Final = 4
_BETWEEN_S: Final = 0.5


def measure_tls(
    durability: str, rounds: int, folder: Path, step: Callable[[str], None]
) -> list[float] | None:
    """Return the longest time that an order took in each take-over, in milliseconds.

    Each client sends one order after the other. None where there is no ``openssl`` to make a
    certificate with.

    Raises
    ------
    BenchError
        An order was lost or doubled.
    """
    if shutil.which("openssl") is None:
        return None
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(key), "-out", str(cert), "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        capture_output=True,
        check=True,
    )
    with Stack(
        durability, placements()["unpinned"], folder, accounts=CLIENTS, tls=(cert, key)
    ) as stack:
        return asyncio.run(_measure(stack, rounds, cert, step))


async def _measure(
    stack: Stack, rounds: int, cert: Path, step: Callable[[str], None]
) -> list[float]:
    context = ssl.create_default_context(cafile=str(cert))
    longest = [0.0]
    stop = asyncio.Event()
    traders = [
        asyncio.create_task(
            _trade(Client(f"127.0.0.1:{stack.port}", token=token, tls=context), longest, stop)
        )
        for token in stack.tokens
    ]
    found = []
    try:
        for number in range(rounds):
            step(f"{stack.durability}, TLS: take-over {number + 1} of {rounds}")
            await asyncio.sleep(_BETWEEN_S)
            longest[0] = 0.0
            await asyncio.to_thread(stack.take_over)
            await asyncio.sleep(_BETWEEN_S)
            found.append(longest[0])
    finally:
        stop.set()
        await asyncio.gather(*traders)
    return found


async def _trade(client: Client, longest: list[float], stop: asyncio.Event) -> None:
    """Send orders one by one; note the longest, and check that each was filled once."""
    sent = 0
    async with client:
        while not stop.is_set():
            began = time.perf_counter()
            order = await client.submit("KO", 1, limit="57.00", tif="IOC")
            longest[0] = max(longest[0], 1e3 * (time.perf_counter() - began))
            sent += order.status != "denied"
        held = {position.symbol: int(position.qty) for position in await client.positions()}
    if held != {"KO": sent}:
        message = f"{sent} orders for one KO each, and {held} is held"
        raise BenchError(message)
