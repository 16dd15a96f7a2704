"""A figure says on what machine, and of which sources, it was measured."""

import shutil
import subprocess
from pathlib import Path

import pytest

from neural_trader.bench.machine import describe_commit, describe_machine


def test_the_machine_is_described() -> None:
    machine = describe_machine()
    assert machine["cores"] >= 1
    assert machine["memory_gb"] > 0
    assert machine["python"].split()[1].count(".") == 2
    assert machine["processor"]


def test_there_is_no_commit_outside_git(tmp_path: Path) -> None:
    assert describe_commit(tmp_path) is None


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_a_changed_tree_is_marked(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "file").write_text("one")
    git("init")
    git("add", "file")
    git("commit", "-m", "one")
    clean = describe_commit(tmp_path)
    assert clean is not None
    assert not clean.endswith("-dirty")
    (tmp_path / "file").write_text("two")
    assert describe_commit(tmp_path) == f"{clean}-dirty"
