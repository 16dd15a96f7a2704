"""Say what this machine lacks to build neural-trader, one line each, before anything is built.

Run it with the Python that shall build: ``python3 scripts/preflight.py``. It needs the standard
library alone, and Python 3.6 can read it, so that an old Python is named and not a syntax error.

Exit codes: 0 everything is there; 1 something is missing; 2 wrong usage.
"""

import argparse
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import List, Mapping, NamedTuple, Optional, Sequence

OLDEST = (3, 11)
PROGRAM = '#include <math.h>\n#include <stdio.h>\nint main(void) { return printf("%f", sin(1)); }\n'
XCODE = "xcode-select --install"


class Missing(NamedTuple):
    """One thing that is not there, and how each system gets it."""

    what: str
    debian: str = ""
    fedora: str = ""
    macos: str = ""

    def line(self) -> str:
        """Return what is missing and what to do, on one line."""
        ways: List[str] = []
        if self.debian:
            ways.append("Debian/Ubuntu: apt-get install " + self.debian)
        if self.fedora:
            ways.append("Fedora: dnf install " + self.fedora)
        if self.macos:
            ways.append("macOS: " + self.macos)
        return "preflight: " + self.what + ("; " + "; ".join(ways) if ways else "")


def check_version(version: Sequence[int]) -> Optional[Missing]:
    """Return what is missing where this Python is too old."""
    if tuple(version[:2]) >= OLDEST:
        return None
    found = ".".join(str(part) for part in version[:3])
    wanted = "{}.{}".format(*OLDEST)
    what = (
        "{} is Python {}, neural-trader needs {} or newer: name one with make PYTHON=python{}, "
        "or install it"
    ).format(sys.executable or "this", found, wanted, wanted)
    return Missing(
        what,
        "python3.11 python3.11-venv python3.11-dev",
        "python3.11-devel",
        "brew install python@3.11",
    )


def check_venv() -> Optional[Missing]:
    """Return what is missing where this Python cannot make an environment with pip in it."""
    absent = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if not absent:
        return None
    what = "this Python lacks its module {}, so it cannot make an environment".format(
        " and ".join(absent)
    )
    return Missing(what, "python3-venv", "python3-libs", "brew install python@3.11")


def check_headers(paths: Mapping[str, str]) -> Optional[Missing]:
    """Return what is missing where Python.h is in none of this Python's include folders."""
    places = sorted({paths[name] for name in ("include", "platinclude") if paths.get(name)})
    if any((Path(place) / "Python.h").is_file() for place in places):
        return None
    what = "Python's headers are not installed (no Python.h in {})".format(" or ".join(places))
    return Missing(what, "python3-dev", "python3-devel", "brew install python@3.11")


def check_compiler(environ: Mapping[str, str], builds_with: str) -> Optional[Missing]:
    """Return what is missing where no C compiler compiles and links three lines.

    ``$CC`` decides where it is set. Otherwise it is ``builds_with``: the compiler that this Python
    was built with, which its extensions are built with too.
    """
    command = shlex.split(environ.get("CC") or builds_with or "cc")
    path = environ.get("PATH", "")
    if not command or shutil.which(command[0], path=path) is None:
        name = command[0] if command else "cc"
        others = [other for other in ("cc", "gcc", "clang") if shutil.which(other, path=path)]
        what = f"no C compiler (looked for {name} on PATH)"
        if others:
            what += f"; {others[0]} is here: use it with make CC={others[0]}"
        return Missing(what, "build-essential", "gcc", XCODE)
    said = _compile(command, environ)
    if said is None:
        return None
    what = f"the C compiler {command[0]} cannot build a program of three lines ({said})"
    return Missing(what, "build-essential", "gcc glibc-devel", XCODE)


def check_make(environ: Mapping[str, str]) -> Optional[Missing]:
    """Return what is missing where there is no make."""
    if shutil.which("make", path=environ.get("PATH", "")):
        return None
    return Missing("make is not on PATH", "make", "make", XCODE)


def check_environment(folder: Path, version: Sequence[int]) -> Optional[Missing]:
    """Return what is wrong where ``folder`` is an environment of another Python than this one."""
    config = folder / "pyvenv.cfg"
    if not config.is_file():
        return None
    pairs = (line.partition("=") for line in config.read_text(encoding="utf-8").splitlines())
    found = {name.strip(): value.strip() for name, _, value in pairs}.get("version", "")
    wanted = "{}.{}".format(*version[:2])
    if found.split(".")[:2] == wanted.split("."):
        return None
    what = (
        "{} holds Python {}, and this is Python {}: remove it with make distclean, or keep both "
        "with make VENV=.venv-{}"
    ).format(folder, found or "of an unknown version", wanted, wanted)
    return Missing(what)


def everything(
    environ: Mapping[str, str], version: Sequence[int], folder: Optional[Path]
) -> List[Missing]:
    """Return all that is missing.

    An old Python's headers and modules are not looked for: the right Python brings its own.
    """
    old = check_version(version)
    config = sysconfig.get_config_var("CC") or ""
    found = [old, check_compiler(environ, config), check_make(environ)]
    if old is None:
        found += [check_venv(), check_headers(sysconfig.get_paths())]
        if folder is not None:
            found.append(check_environment(folder, version))
    return [missing for missing in found if missing is not None]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Check, print one line for each missing thing, and return the exit code."""
    parser = argparse.ArgumentParser(description="Say what is missing to build neural-trader.")
    parser.add_argument("--venv", type=Path, help="an environment that is to hold this Python")
    parser.add_argument(
        "--debian", action="store_true", help="print the missing Debian packages instead"
    )
    options = parser.parse_args(arguments)
    missing = everything(os.environ, tuple(sys.version_info[:3]), options.venv)
    if options.debian:
        print(" ".join(sorted({name for one in missing for name in one.debian.split()})))
        return 0
    for one in missing:
        print(one.line(), file=sys.stderr)
    return 1 if missing else 0


def _compile(command: List[str], environ: Mapping[str, str]) -> Optional[str]:
    """Compile and link the program; return the first line of what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "three_lines.c"
        source.write_text(PROGRAM, encoding="utf-8")
        full = [*command, str(source), "-o", str(Path(folder) / "three_lines"), "-lm"]
        try:
            done = subprocess.run(
                full,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                universal_newlines=True,  # noqa: UP021 - Python 3.6 does not know text=
                timeout=60,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    if done.returncode == 0:
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0] if lines else f"exit code {done.returncode}"


if __name__ == "__main__":
    sys.exit(main())
