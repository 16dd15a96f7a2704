"""Ask other libraries for weights on the bundled prices, and write down what they say.

``python benchmarks/rivals/weights/compare.py``, in the project's own environment, after
``python benchmarks/rivals/make_peers.py optimizers``.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from neural_trader.data import load, returns_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PYTHON = ROOT / ".venv-peers" / "optimizers" / "bin" / "python"
GOLDEN = ROOT / "tests" / "golden" / "peer-weights.json"
START, END = "2018-01-01", "2022-12-31"


def main() -> int:
    """Run the peers and write the file; return the exit code."""
    if not PYTHON.exists():
        print(
            "the environment of the libraries is not there; make it with "
            "python benchmarks/rivals/make_peers.py optimizers",
            file=sys.stderr,
        )
        return 1
    returns = returns_of(load("sp500-closes", start=START, end=END))
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "returns.npz"
        np.savez(given, table=returns.table, series=np.array(returns.series))
        done = subprocess.run(
            [str(PYTHON), str(HERE / "peers.py"), str(given)],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return 1
    found = json.loads(done.stdout.splitlines()[-1])
    found["provenance"] = {
        "data": "sp500-closes",
        "start": START,
        "end": END,
        "sha256": returns.sha256,
        "written_by": "benchmarks/rivals/weights/compare.py",
    }
    GOLDEN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{GOLDEN.relative_to(ROOT)}: {len(found['cases'])} cases")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
