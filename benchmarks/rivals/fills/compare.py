"""Compare our fills with those of other engines, one by one: ``make fills``."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import neural_trader as nt

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.rivals.fills import ours  # noqa: E402 - found only now

DATA = {
    "sma": ("sp500-closes", ["KO"]),
    "pairs": ("sp500-closes", ["KO", "PEP"]),
    "stops": ("us-ohlcv", None),
    "dips": ("us-ohlcv", None),
}
# What an engine does not do is not asked of it: each file says why. All of them fill a limit that
# is only touched, as ours is told to; one begins a bar late, and so does ours then.
ENGINES = {
    "backtrader": (("sma", "pairs", "stops", "dips"), 0),
    "vectorbt": (("sma", "pairs", "stops"), 0),
    "backtesting": (("sma", "dips"), 1),
}
DAY_NS = 86_400_000_000_000

Fill = tuple[float, ...]
"""Bar, symbol's place, signed shares, price."""


def main() -> int:
    """Print a line a comparison; return 1 where one fails."""
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        bars = {name: nt.load(data, symbols=symbols) for name, (data, symbols) in DATA.items()}
        requests = [(name, write_prices(name, each, Path(folder))) for name, each in bars.items()]
        for engine, (works, idle) in ENGINES.items():
            theirs = ask(engine, json.dumps(requests))
            if theirs is None:
                print(f"{engine:14}not installed: make peers")
                failed = True
                continue
            for name in works:
                mine = ours.run(name, bars[name], touch=True, idle=idle)
                difference = first_difference(mine, [tuple(fill) for fill in theirs[name]])
                failed |= bool(difference)
                told = difference or f"{len(mine):,} fills, all the same"
                print(f"{engine:14}{name:8}{told}")
    return int(failed)


def ask(engine: str, request: str) -> dict[str, list[list[float]]] | None:
    """Return the fills of another engine by strategy, or None where it is not installed."""
    python = ROOT / ".venv-peers" / engine / "bin" / "python"
    if not python.is_file():
        return None
    command = [str(python), "-E", str(HERE / f"fills_{engine}.py"), request]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        message = f"{engine} failed:\n{done.stderr}"
        raise SystemExit(message)
    found: dict[str, list[list[float]]] = json.loads(done.stdout.splitlines()[-1])
    return found


def write_prices(name: str, bars: nt.Bars, folder: Path) -> str:
    """Write open, high, low and close, each (S, T): closes alone where there is nothing else."""
    columns = [bars[symbol] for symbol in bars.symbols]
    fields: dict[str, Any] = {
        field: np.stack(
            [
                each.close if getattr(each, field) is None else getattr(each, field)
                for each in columns
            ]
        )
        for field in ("open", "high", "low", "close")
    }
    path = folder / f"{name}.npz"
    np.savez(path, days=columns[0].ts_close_ns // DAY_NS, **fields)
    return str(path)


def first_difference(mine: Sequence[Fill], theirs: Sequence[Fill]) -> str:
    """Say where two lists of fills part; nothing where they do not."""
    for place, (here, there) in enumerate(zip(mine, theirs, strict=False)):
        same_price = abs(here[3] - there[3]) <= 1e-9 * abs(here[3])
        if tuple(here[:3]) != tuple(there[:3]) or not same_price:
            return f"DIFFERS at fill {place}: ours {here}, theirs {there}"
    if len(mine) != len(theirs):
        return f"DIFFERS: ours has {len(mine)} fills, theirs {len(theirs)}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
