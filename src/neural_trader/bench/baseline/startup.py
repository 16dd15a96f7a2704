"""What it costs to start the usual stack: an interpreter that imports what a strategy needs."""

import subprocess
import sys
from typing import Any

from neural_trader.bench.baseline.timing import present

STACK = ("numpy", "pandas", "scipy.stats", "asyncio", "sqlite3", "json")


def prepare(modules: list[str] | None = None) -> dict[str, Any]:
    """Return what is imported; with ``torch`` in it, a stack that forecasts too."""
    return {"modules": list(STACK if modules is None else modules)}


def run(modules: list[str]) -> dict[str, Any]:
    """Start the process and return what it has cost."""
    from neural_trader.bench.baseline.processes import launch

    program = f"import {', '.join(modules)}" if modules else "pass"
    # The first start reads files from the disk, and writes what is compiled: it is not counted.
    subprocess.run([sys.executable, "-c", program], check=True)
    return {"figures": launch([sys.executable, "-c", program]), "imported": modules}


if __name__ == "__main__":
    present("startup", prepare, run, runs=1)
