"""A program of the bench in a fresh process, and the JSON that it prints."""

import json
import subprocess
import sys
from typing import Any, Final

from neural_trader.core import BenchError

_TIMEOUT_S: Final = 300


def run_fresh(module: str, *arguments: str) -> dict[str, Any]:
    """Return what a module prints last when it runs in a fresh process of this very Python.

    Raises
    ------
    BenchError
        It failed, printed no JSON object, or took longer than five minutes.
    """
    what = " ".join((module.rpartition(".")[2], *arguments))[:120]
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        message = f"{what} took longer than {_TIMEOUT_S} s"
        raise BenchError(message) from None
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        message = f"{what} failed: {said[-1][:300]}"
        raise BenchError(message)
    found: dict[str, Any] = json.loads(lines[-1])
    return found
