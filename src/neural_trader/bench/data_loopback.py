"""A loopback provider: daily bars over HTTP, in Alpaca's form, so many milliseconds a request.

``python -m neural_trader.bench.data_loopback DELAY_MS`` prints its port and serves until its input
ends. Every symbol has the same real closes of a year.
"""

import asyncio
import json
import sys
from typing import Any, Final

import numpy as np

import neural_trader as nt

_HEAD: Final = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
_NEW_YORK_MIDNIGHT_H: Final = 5


def main() -> None:
    """Serve."""
    asyncio.run(serve(float(sys.argv[1]) / 1e3))


async def serve(delay_s: float) -> None:
    """Answer requests, each after a while, until standard input ends."""
    bars = make_bars()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(delay_s)
                symbol = _symbol_of(request)
                body = json.dumps({"bars": {symbol: bars}, "next_page_token": None}).encode()
                writer.write(_HEAD.format(len(body)).encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await asyncio.to_thread(sys.stdin.read)


def make_bars() -> list[dict[str, Any]]:
    """Return a year of daily bars as Alpaca sends them: at midnight in New York, told in UTC."""
    series = nt.load("us-ohlcv", symbols="IBM", start="2012-01-01", end="2012-12-31")["IBM"]
    days = series.ts_close_ns.astype("datetime64[ns]").astype("datetime64[D]")
    columns = [np.asarray(x) for x in (series.open, series.high, series.low, series.close)]
    rows = zip(days, *columns, np.asarray(series.volume), strict=True)
    return [
        dict(
            zip("tohlcv", (f"{day}T0{_NEW_YORK_MIDNIGHT_H}:00:00Z", *map(float, row)), strict=True)
        )
        for day, *row in rows
    ]


def _symbol_of(request: bytes) -> str:
    from urllib.parse import parse_qs, urlsplit

    target = request.split(b" ", 2)[1].decode("ascii")
    return parse_qs(urlsplit(target).query)["symbols"][0]


if __name__ == "__main__":
    main()
