"""The prices of the market-data case: CSV files of real closes, and a slow server of them."""

import atexit
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

import neural_trader as nt
from neural_trader.core import ConfigError


def price_folder(symbols: int, year: int) -> Path:
    """Return a folder with a CSV file a symbol, removed when the process ends.

    Raises
    ------
    ConfigError
        There are not so many symbols.
    """
    bars = nt.load("sp500-closes", start=f"{year}-01-01", end=f"{year}-12-31")
    if not 1 <= symbols <= len(bars.symbols):
        message = f"symbols is {symbols}; expected 1 to {len(bars.symbols)}"
        raise ConfigError(message)
    holder = tempfile.TemporaryDirectory(prefix="neural-trader-prices-")
    atexit.register(holder.cleanup)
    for symbol in bars.symbols[:symbols]:
        column = bars[symbol]
        days = np.array(column.ts_close_ns).astype("datetime64[ns]").astype("datetime64[D]")
        lines = [f"{day},{close!r}" for day, close in zip(days, column.close.tolist(), strict=True)]
        (Path(holder.name) / f"{symbol}.csv").write_text("\n".join(["date,close", *lines, ""]))
    return Path(holder.name)


def serve_folder(folder: Path, delay_ms: float) -> int:
    """Serve a folder on this machine, each answer late by so much, and return the port."""

    class Slow(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(delay_ms / 1e3)
            super().do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Slow, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])
