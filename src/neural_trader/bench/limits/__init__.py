"""What the machine can reach: small C programs, compiled for this machine when asked for."""

import os
import shutil
import subprocess
from importlib.resources import as_file, files
from pathlib import Path

from neural_trader.core import BenchError

_FLAGS = ("-O3", "-march=native", "-ffast-math", "-fno-finite-math-only", "-shared", "-fPIC")


def build_limits(folder: Path) -> Path:
    """Compile the limit programs into a folder and return the library.

    Raises
    ------
    BenchError
        There is no C compiler, or it failed.
    """
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        message = "no C compiler (cc, gcc or $CC)"
        raise BenchError(message)
    library = folder / "limits.so"
    with as_file(files("neural_trader.bench.limits") / "backtests.c") as source:
        run = subprocess.run(
            [compiler, *_FLAGS, str(source), "-o", str(library), "-lm"],
            capture_output=True,
            text=True,
            check=False,
        )
    if run.returncode:
        message = f"{compiler} failed: {run.stderr.strip()[:300]}"
        raise BenchError(message)
    return library
