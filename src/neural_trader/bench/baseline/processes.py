"""A whole process, measured from a small one."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from neural_trader.core import BenchError

_LAUNCH: Final = Path(__file__).parents[1] / "launch.py"


def launch(command: Sequence[str]) -> dict[str, float]:
    """Run a command and return its wall and CPU time in ms, and its peak memory in MB.

    Raises
    ------
    BenchError
        The command failed.
    """
    line = [sys.executable, "-I", "-S", str(_LAUNCH), *command]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    if found["exit"] != 0:
        message = f"{' '.join(command)} ended with exit code {found['exit']}"
        raise BenchError(message)
    return {
        "time_ms": found["wall_ms"],
        "cpu_ms": found["cpu_ms"],
        "peak_rss_mb": found["peak_rss_mb"],
    }
