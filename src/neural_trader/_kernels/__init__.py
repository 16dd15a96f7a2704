"""Compiled loops over plain arrays (Cython in pure Python mode); imports nothing of ours.

Each kernel is a ``NAME.py`` that runs interpreted and compiled with the same bits, beside a
``NAME.pyi`` that says what it takes. An installation uses the compiled form only: Python would
import the source where the compiled file is missing, and run hundreds of times slower, so that is
an error here.
"""

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

__all__ = ["KernelsMissing"]


class KernelsMissing(ImportError):  # noqa: N818 - it names what is the matter
    """The kernels were never compiled here, or for another version of Python."""


def _check_compiled(folder: Path) -> None:
    files = {path.name for path in folder.iterdir()}
    names = {name[:-3] for name in files if name.endswith(".py") and not name.startswith("_")}
    built = {name for name in names if any(name + suffix in files for suffix in EXTENSION_SUFFIXES)}
    if names - built:
        message = (
            f"the compiled kernels {', '.join(sorted(names - built))} are missing in {folder}. "
            "From a clone run: make setup (it needs a C compiler); otherwise install a wheel: "
            "pip install --force-reinstall neural-trader"
        )
        raise KernelsMissing(message)


_check_compiled(Path(__file__).parent)
