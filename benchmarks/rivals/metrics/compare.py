"""Compare our metrics with those of other packages, one by one: ``make metrics``.

``--write`` keeps what they said in ``tests/golden/peer-metrics.json``, to which a test holds us
where none of them is installed.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
GOLDEN = ROOT / "tests" / "golden" / "peer-metrics.json"
sys.path.insert(0, str(ROOT))

from benchmarks.rivals.metrics.conventions import (  # noqa: E402 - found only now
    BENCHMARK,
    RULES,
    SERIES,
    START,
    Case,
    Returns,
    cases,
    returns,
)

# They add up in another order, and some by way of logarithms.
TOLERANCE = 1e-8

Figures = list[dict[str, float]]


def main() -> int:
    """Print a line a figure; return 1 where a rule fails or a package is missing."""
    failed = False
    told: dict[str, Any] = {"data": "sp500-closes", "series": SERIES, "benchmark": BENCHMARK}
    told |= {"start": START, "versions": {}, "figures": {}}
    with tempfile.TemporaryDirectory() as folder:
        for name, of in returns().items():
            request = write_returns(name, of, Path(folder))
            for peer in RULES:
                answer = ask(peer, request)
                if answer is None:
                    print(f"{peer:12}not installed: make peers")
                    failed = True
                    continue
                told["versions"][peer] = answer["version"]
                told["figures"].setdefault(name, {})[peer] = answer["figures"]
                failed |= report(f"{peer:12}{name:9}", peer, cases(of), answer["figures"])
    if "--write" in sys.argv[1:] and not failed:
        GOLDEN.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        print(f"written: {GOLDEN.relative_to(ROOT)}")
    return int(failed)


def report(title: str, peer: str, ours: list[Case], theirs: Figures) -> bool:
    """Print how each figure of a package stands to ours; return whether one is unexplained."""
    failed = False
    for rule in RULES[peer]:
        found = differences(peer, rule.figure, ours, theirs)
        failed |= bool(found)
        print(f"{title}{rule.figure:30}{found or rule.why or 'the same'}")
    return failed


def differences(peer: str, figure: str, ours: list[Case], theirs: Figures) -> str:
    """Say where a figure is not what its rule says; nothing where it is."""
    (rule,) = [rule for rule in RULES[peer] if rule.figure == figure]
    for series, case, their in zip(SERIES, ours, theirs, strict=True):
        wanted, found = rule.theirs(case), their[figure]
        if not abs(wanted - found) <= TOLERANCE * abs(found):
            return f"DIFFERS for {series}: theirs {found!r}, by our rule {wanted!r}"
    return ""


def ask(peer: str, request: str) -> dict[str, Any] | None:
    """Return the figures of another package, or None where it is not installed."""
    python = ROOT / ".venv-peers" / peer / "bin" / "python"
    if not python.is_file():
        return None
    command = [str(python), "-E", str(HERE / f"metrics_{peer}.py"), request]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        message = f"{peer} failed:\n{done.stderr}"
        raise SystemExit(message)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def write_returns(name: str, of: Returns, folder: Path) -> str:
    """Write returns for others to read."""
    path = folder / f"{name}.npz"
    np.savez(
        path, returns=of.table, benchmark=of.benchmark, days=of.days, periods=np.array(of.periods)
    )
    return str(path)


if __name__ == "__main__":
    sys.exit(main())
