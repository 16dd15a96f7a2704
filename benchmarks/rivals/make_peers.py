"""Make the environments of the engines that the bench compares with: ``make peers``.

``python benchmarks/rivals/make_peers.py [NAME ...]`` makes ``.venv-peers/NAME`` for every file
``requirements/NAME.txt`` and ``requirements/risk/NAME.txt``, or for those named. One environment an
engine: some need another pandas than others, and no engine is measured with a package of another
one loaded. An environment that was made from the same requirements is left as it is; one that fails
leaves nothing behind that the bench could mistake for it.

Exit codes: 0 all are there; 1 some are not, each with a line that says why; 2 no such engine.
"""

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv-peers"
REQUIREMENTS = Path(__file__).resolve().parent / "requirements"
STAMP = ".installed"  # written last; the bench looks for it


def main():
    """Make the environments that are asked for and return the exit code."""
    known = sorted(path.stem for path in REQUIREMENTS.rglob("*.txt"))
    parser = argparse.ArgumentParser(description="Make the environments of the other engines.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(known)}")
    names = parser.parse_args().names or known
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no engine {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    failed = {}
    for number, name in enumerate(names, 1):
        print(f"[{number}/{len(names)}] {name}: ", end="", flush=True)
        reason = make(name)
        print(reason or "ready", flush=True)
        if reason:
            failed[name] = reason
    if failed:
        print(
            f"{len(failed)} of {len(names)} could not be made ({', '.join(failed)}). The versions "
            f"are pinned for Python 3.11; this is {sys.version.split()[0]}",
            file=sys.stderr,
        )
    return 1 if failed else 0


def make(name):
    """Make one environment; return why it failed, or None."""
    requirements = next(REQUIREMENTS.rglob(f"{name}.txt"))
    environment = FOLDER / name
    stamp = environment / STAMP
    wanted = recipe(requirements)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return None
    stamp.unlink(missing_ok=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(environment)],
        [*pip, "install", "--quiet", "--requirement", str(requirements)],
        [*pip, "check"],
    )
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, check=False)
        except OSError as error:
            return f"{step[0]}: {error.strerror}"
        if done.returncode:
            said = (done.stderr + done.stdout).strip().splitlines()
            errors = [line for line in said if line.startswith("ERROR")] or said[-1:]
            return f"failed: {errors[-1] if errors else 'no output'}"
    stamp.write_text(wanted, encoding="utf-8")
    return None


def recipe(requirements):
    """Return what an environment is made from: its Python, and a digest of its requirements."""
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    return f"{sys.version.split()[0]} {digest}\n"


if __name__ == "__main__":
    raise SystemExit(main())
