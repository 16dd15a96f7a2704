"""What the machine can reach: small C programs, compiled for this machine when asked for."""

import os
import shutil
import subprocess
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

from neural_trader.core import BenchError

_FLAGS = ("-O3", "-march=native", "-ffast-math", "-fno-finite-math-only")
_LIBRARY = ("-shared", "-fPIC")


def build_limits(folder: Path) -> Path:
    """Compile the limits of the backtests into a folder and return the library.

    Raises
    ------
    BenchError
        There is no C compiler, or it failed.
    """
    return _compile("backtests.c", folder / "limits.so", (*_FLAGS, *_LIBRARY))


def build_orders_floor(folder: Path) -> Path:
    """Compile the floor of the order path into a folder and return the program.

    Raises
    ------
    BenchError
        There is no C compiler, or it failed.
    """
    return _compile("orders.c", folder / "orders-floor", ("-O2",))


def _compile(name: str, target: Path, flags: tuple[str, ...]) -> Path:
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        message = "no C compiler (cc, gcc or $CC)"
        raise BenchError(message)
    target.write_bytes(_compiled(compiler, name, flags))
    target.chmod(0o755)
    return target


@cache
def _compiled(compiler: str, name: str, flags: tuple[str, ...]) -> bytes:
    """Return what a compiler makes of a program, once a process."""
    with (
        as_file(files("neural_trader.bench.limits") / name) as source,
        TemporaryDirectory() as made,
    ):
        target = Path(made) / "program"
        run = subprocess.run(
            [compiler, *flags, str(source), "-o", str(target), "-lm"],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            message = f"{compiler} failed: {run.stderr.strip()[:300]}"
            raise BenchError(message)
        return target.read_bytes()
