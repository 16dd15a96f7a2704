"""Build the source tarball and the wheel, and use the wheel as a stranger would.

The wheel is built from the tarball, so the tarball is complete. It is installed into a new
environment outside the tree, where no compiler and no Cython can be reached, and must answer a
backtest there. Only files that passed come into ``dist``.

Exit codes: 0 passed; 1 failed, with one line that says why.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "neural_trader"
SDIST_FILES = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "constraints.txt",
    "pyproject.toml",
    "setup.py",
)
SDIST_FOLDERS = ("benchmarks", "docs", "scripts", "src", "tests")
# Left behind by runs and builds; never part of what is shipped.
DEBRIS = {".so", ".pyc", ".pyd"}
BACKTEST = (
    "backtest --strategy pairs --symbols KO,PEP --data sp500-closes --start 2021-01-01 "
    "--end 2021-12-31 --warmup inside --capital 100000 --lookback 60 --entry 2.0 --exit 0.5 "
    "--gross 20000 --fee-bps 5 --slippage-bps 5 --json"
)
# Source: independent engines agree on these figures for this case (docs/semantics.md, the rules).
EXPECTED = {"trades": 2, "fills": 8, "final_equity": 99_486.6097}


class CheckError(Exception):
    """Something about the packages is not as it must be."""


def build(folder: Path) -> tuple[Path, Path]:
    """Build the tarball, and the wheel from it, into ``folder``; return both paths."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    run(command, "python -m build")
    sdists, wheels = list(folder.glob("*.tar.gz")), list(folder.glob("*.whl"))
    if len(sdists) != 1 or len(wheels) != 1:
        message = f"expected one tarball and one wheel, found {len(sdists)} and {len(wheels)}"
        raise CheckError(message)
    return sdists[0], wheels[0]


def check_sdist(path: Path) -> None:
    """Hold the tarball to the tree: all that is needed, nothing that was built."""
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        str(file.relative_to(ROOT)) for name in SDIST_FOLDERS for file in shipped(ROOT / name)
    }
    require(names, wanted | set(SDIST_FILES), path.name)
    refuse_built(names, path.name)


def check_wheel(path: Path) -> None:
    """Hold the wheel to the package: every file, and every kernel compiled with its stub."""
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    wanted = {str(file.relative_to(PACKAGE.parent)) for file in shipped(PACKAGE)}
    wanted |= {"neural_trader/py.typed", "neural_trader/_kernels/built.json"}
    require(names, wanted, path.name)
    for kernel in (PACKAGE / "_kernels").glob("[a-z]*.py"):
        folder = "neural_trader/_kernels"
        require(names, {f"{folder}/{kernel.stem}.pyi"}, path.name)
        if not any(name.startswith(f"{folder}/{kernel.stem}.cpython-") for name in names):
            message = f"{path.name} lacks the compiled kernel {kernel.stem}"
            raise CheckError(message)
    if not any(name.startswith("neural_trader/data/samples/") for name in names):
        message = f"{path.name} lacks the sample data"
        raise CheckError(message)
    strangers = sorted(name for name in names if not name.startswith("neural_trader"))
    if strangers:
        message = f"{path.name} holds {strangers[0]}, which is no part of the package"
        raise CheckError(message)
    refuse_built({name for name in names if not name.endswith(".so")}, path.name)


def check_installed(wheel: Path, folder: Path) -> None:
    """Install the wheel into a new environment and let it answer, far from tree and compiler."""
    home = folder / "home"
    home.mkdir()
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    constraints = str(ROOT / "constraints.txt")
    run([str(python), "-m", "pip", "install", "-q", "-c", constraints, str(wheel)], "pip install")
    # Python 3.11 brings setuptools into a new environment; a user of 3.12 has none.
    run([str(python), "-m", "pip", "uninstall", "-q", "-y", "setuptools"], "pip uninstall")

    bare = {"HOME": str(home), "PATH": str(environment / "bin")}
    where = "import neural_trader; print(neural_trader.__file__)"
    found = Path(run([str(python), "-c", where], "import neural_trader", bare, home).strip())
    if environment.resolve() not in found.resolve().parents:
        message = f"the environment imports neural_trader from {found}, not from the wheel"
        raise CheckError(message)
    absent = (
        "import importlib.util, shutil; "
        "print([n for n in ('Cython', 'setuptools') if importlib.util.find_spec(n)] "
        "+ [n for n in ('cc', 'gcc', 'clang') if shutil.which(n)])"
    )
    present = run([str(python), "-c", absent], "the search for compilers", bare, home).strip()
    if present != "[]":
        message = f"the clean environment reaches {present}, so it proves nothing"
        raise CheckError(message)

    command = [str(environment / "bin" / "neural-trader"), *BACKTEST.split()]
    for state in ("cold", "warm"):
        answer = json.loads(run(command, f"neural-trader backtest ({state})", bare, home))
        check_answer(answer, state)


def check_answer(answer: dict[str, object], state: str) -> None:
    """Hold the answer to the figures that are known; equity to a hundredth of a cent."""
    for name, expected in EXPECTED.items():
        value = answer.get(name)
        close = isinstance(value, int | float) and abs(value - expected) < 1e-4
        if not close:
            message = f"the {state} backtest answers {name} = {value!r}, expected {expected}"
            raise CheckError(message)


def shipped(folder: Path) -> Iterable[Path]:
    """Yield the files of a folder, without what runs and builds leave in it."""
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(ROOT).parts
        built = file.suffix in DEBRIS or (
            file.parent.name == "_kernels" and (file.suffix == ".c" or file.name == "built.json")
        )
        hidden = any(part == "__pycache__" or part.endswith(".egg-info") for part in parts)
        if file.is_file() and not built and not hidden:
            yield file


def require(names: set[str], wanted: set[str], where: str) -> None:
    """Raise where something wanted is missing."""
    missing = sorted(wanted - names)
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if missing[5:] else "")
        message = f"{where} lacks {shown}"
        raise CheckError(message)


def refuse_built(names: set[str], where: str) -> None:
    """Raise where something that was built on this machine slipped in."""
    for name in sorted(names):
        kernel_c = "/_kernels/" in name and name.endswith(".c")
        if kernel_c or Path(name).suffix in DEBRIS or "__pycache__" in name:
            message = f"{where} holds {name}, which is built and not written"
            raise CheckError(message)


def run(
    command: list[str],
    name: str,
    environ: dict[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """Run a command and return its standard output; raise with the end of what it said."""
    done = subprocess.run(
        command, env=environ, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        message = f"{name} ended with exit code {done.returncode}:\n{said}"
        raise CheckError(message)
    return done.stdout


def main() -> int:
    """Build, check, use, and move what passed into ``dist``."""
    argparse.ArgumentParser(description="Build sdist and wheel, and test the wheel.").parse_args()
    with tempfile.TemporaryDirectory(prefix="neural-trader-wheel-") as name:
        folder = Path(name).resolve()
        try:
            sdist, wheel = build(folder / "dist")
            check_sdist(sdist)
            check_wheel(wheel)
            check_installed(wheel, folder)
        except CheckError as error:
            print(f"wheel: {error}", file=sys.stderr)
            return 1
        target = ROOT / "dist"
        target.mkdir(exist_ok=True)
        for path in (sdist, wheel):
            shutil.move(path, target / path.name)
            size = (target / path.name).stat().st_size
            print(f"wheel: dist/{path.name} passed ({size / 1e6:.2f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
