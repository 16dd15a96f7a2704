"""Every example runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert len(path.read_text().splitlines()) <= 80


def test_the_readme_program_runs_and_says_what_stands_beside_it(tmp_path: Path) -> None:
    program = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[0]
    (tmp_path / "readme.py").write_text(
        program + "\nprint(result.trades, round(result.final_equity, 4), len(result.fills))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "readme.py"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-3:] == ["2", "99486.6097", "8"]
    assert "# 2: entries filled" in program
    assert "# 99486.6097" in program
