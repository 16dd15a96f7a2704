"""A year of daily prices of 20 symbols, from files or a server to features, in pandas.

Each symbol is a CSV file. It is read, checked, turned into returns, and given rolling features.
With ``delay_ms`` the files come from a server on this machine that takes that long to answer,
fetched one after the other, as a loop of ``requests.get`` does it.
"""

import http.client
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from neural_trader.bench.baseline.timing import present


def prepare(
    symbols: int = 20, year: int = 2021, window: int = 20, delay_ms: float | None = None
) -> dict[str, Any]:
    """Return where the files are: a folder, or the port of a server."""
    from neural_trader.bench.baseline.price_files import price_folder, serve_folder

    folder = price_folder(symbols, year)
    port = 0 if delay_ms is None else serve_folder(folder, delay_ms)
    names = sorted(path.stem for path in folder.glob("*.csv"))
    return {"folder": folder, "names": names, "window": window, "port": port}


def read(folder: Path, name: str, port: int) -> pd.DataFrame:
    """Return one symbol's frame, read or fetched, and checked."""
    source: Path | BytesIO = folder / f"{name}.csv"
    if port:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", f"/{name}.csv")
        source = BytesIO(connection.getresponse().read())
        connection.close()
    frame = pd.read_csv(source, parse_dates=["date"], index_col="date")
    if not frame.index.is_monotonic_increasing or frame.index.has_duplicates:
        message = f"the dates of {name} do not rise"
        raise ValueError(message)
    if frame["close"].isna().any() or (frame["close"] <= 0).any():
        message = f"{name} has closes that are not positive"
        raise ValueError(message)
    return frame


def run(folder: Path, names: list[str], window: int, port: int) -> dict[str, Any]:
    """Return by symbol the last return, average, deviation and z-score."""
    closes = pd.DataFrame({name: read(folder, name, port)["close"] for name in names})
    rolling = closes.rolling(window)
    average, deviation = rolling.mean(), rolling.std()
    features = {
        "return": closes.pct_change(),
        "average": average,
        "deviation": deviation,
        "z": (closes - average) / deviation,
    }
    return {name: frame.iloc[-1].tolist() for name, frame in features.items()}


if __name__ == "__main__":
    present("market_data", prepare, run)
