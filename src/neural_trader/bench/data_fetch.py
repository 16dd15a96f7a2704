"""A hundred symbols from a provider that takes 20 ms a request: at once, and one after another."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from neural_trader.bench.data_measure import Figure, Measured, peak_over
from neural_trader.core import BenchError

DELAY_MS: Final = 20
SYMBOLS: Final = tuple(f"S{each:03}" for each in range(100))
CONNECTIONS: Final = 32
_NOW_NS: Final = 1_700_000_000_000_000_000


def measure_at_once(folder: Path, part: str) -> Measured:  # noqa: ARG001 - nothing is read or kept
    """Fetch over many connections, and one symbol alone."""
    import aiohttp  # noqa: F401 - what the work needs, or the reason why there is no figure

    with _server() as url:
        # The first brings the client's own imports with it.
        _fetch(url, SYMBOLS[:1], 1)
        alone_ms, alone = _fetch(url, SYMBOLS[:1], 1)
        taken: list[tuple[float, dict[str, Any]]] = []
        peak, reason = peak_over(lambda: taken.append(_fetch(url, SYMBOLS, CONNECTIONS)))
        [(taken_ms, found)] = taken
    _check(alone, 1)
    figures = [
        Figure("one symbol, checked, with returns", "ms", alone_ms),
        Figure("100 symbols", "ms", taken_ms),
        Figure("memory", "MB", peak, reason),
    ]
    return Measured(figures, _answer(found))


def measure_in_turn(folder: Path, part: str) -> Measured:  # noqa: ARG001 - nothing is read or kept
    """Fetch over one connection, one symbol after the other."""
    import aiohttp  # noqa: F401 - as above

    with _server() as url:
        _fetch(url, SYMBOLS[:1], 1)
        taken_ms, found = _fetch(url, SYMBOLS, 1)
    return Measured([Figure("100 symbols", "ms", taken_ms)], _answer(found))


@contextmanager
def _server() -> Iterator[str]:
    """Serve in a process of its own, so that it takes no time of the client's."""
    command = [sys.executable, "-m", "neural_trader.bench.data_loopback", str(DELAY_MS)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdout is None or process.stdin is None:
            message = "the loopback provider has no pipes"
            raise BenchError(message)
        port = process.stdout.readline().strip()
        if not port:
            message = "the loopback provider did not start"
            raise BenchError(message)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.stdin.close()


def _fetch(url: str, symbols: tuple[str, ...], connections: int) -> tuple[float, dict[str, Any]]:
    """Fetch, check and turn into returns; return milliseconds and the bars of each symbol."""
    from neural_trader.data.providers import Alpaca, Ask, Keys, Patience, plan

    wanted = plan(symbols, frequency="1Day", start="2012-01-01", end="2012-12-31", now_ns=_NOW_NS)
    found: dict[str, Any] = {}
    left = iter(symbols)

    async def run() -> float:
        provider = Alpaca(
            Keys("bench", "bench"),
            Patience(lambda: 0.5),
            url=url,
            connections=connections,
            per_minute=None,
        )
        async with provider:

            async def work() -> None:
                for symbol in left:
                    ask = Ask(symbol, wanted.frequency, wanted.start, wanted.end)
                    bars = await provider.bars(ask)
                    if bars is not None:
                        close = bars[symbol].close
                        found[symbol] = (bars, close[1:] / close[:-1] - 1.0)

            began = time.perf_counter()
            await asyncio.gather(*(work() for _ in range(connections)))
            return (time.perf_counter() - began) * 1e3

    return asyncio.run(run()), found


def _check(found: dict[str, Any], count: int) -> None:
    if len(found) != count:
        message = f"{len(found)} of {count} symbols arrived"
        raise BenchError(message)


def _answer(found: dict[str, Any]) -> dict[str, list[float]]:
    _check(found, len(SYMBOLS))
    return {
        "bars": [float(len(found[symbol][0])) for symbol in SYMBOLS],
        "returns": [float(np.sum(found[symbol][1])) for symbol in SYMBOLS],
    }
