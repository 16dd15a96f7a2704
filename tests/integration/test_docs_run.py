"""The programs in the documents run as they stand, page by page, each page from its top."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT

PAGES = ("feeds", "strategies", "indicators", "library", "optimizers", "sweeps")


def programs(text: str) -> str:
    """Return the indented Python of a page: blocks that are no shell commands."""
    blocks = re.findall(r"(?:^|\n\n|\n(?=    ))((?:    .*\n|\n(?=    ))+)", text)
    kept = [block for block in blocks if not block.lstrip().startswith("neural-trader")]
    return "\n".join(re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in kept)


def fenced(text: str) -> str:
    """Return the Python of a page that stands between fences."""
    return "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))


def test_the_programs_of_the_page_of_metrics_run() -> None:
    program = fenced((ROOT / "docs" / "metrics.md").read_text())
    assert "compute_factor_model" in program
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr}\n{program}"


@pytest.mark.parametrize("page", PAGES)
def test_the_programs_of_a_page_run(page: str, tmp_path: Path) -> None:
    program = programs((ROOT / "docs" / f"{page}.md").read_text())
    assert "import neural_trader as nt" in program
    (tmp_path / "page.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-W", "error", "page.py"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, f"{done.stderr}\n{program}"
