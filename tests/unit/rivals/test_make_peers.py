"""Environments are made once, made anew when their recipe changes, and never half believed."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

make_peers = importlib.import_module("benchmarks.rivals.make_peers")
# What stands in for ``python -m pip`` and answers with the exit code in a file beside it.
PIP = """#!/bin/sh
echo "$@" >> {log}
case "$*" in *install*) cat {verdict}; test ! -s {verdict};; esac
"""


class Peers:
    """A folder of recipes and environments, with a pip that can be told to fail."""

    def __init__(self, folder: Path) -> None:
        self.log, self.verdict = folder / "log", folder / "verdict"
        self.environments, self.requirements = folder / "env", folder / "requirements"
        self.requirements.mkdir()
        self.log.touch()
        self.verdict.touch()
        self.write("one", "alpha==1.0\n")
        self.write("two", "beta==2.0\n")

    def write(self, name: str, text: str) -> None:
        (self.requirements / f"{name}.txt").write_text(text)

    def installs(self) -> int:
        return self.log.read_text().count("install")

    def is_ready(self, name: str) -> bool:
        stamp: str = make_peers.STAMP
        return (self.environments / name / stamp).is_file()


@pytest.fixture
def peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Peers:
    made = Peers(tmp_path)
    monkeypatch.setattr(make_peers, "FOLDER", made.environments)
    monkeypatch.setattr(make_peers, "REQUIREMENTS", made.requirements)
    real = make_peers.subprocess.run

    def run(command: list[str], **options: Any) -> Any:
        if "venv" in command:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True, exist_ok=True)
            python.write_text(PIP.format(log=made.log, verdict=made.verdict))
            python.chmod(0o755)
            command = [sys.executable, "-c", ""]
        return real(command, **options)

    monkeypatch.setattr(make_peers.subprocess, "run", run)
    return made


def make(monkeypatch: pytest.MonkeyPatch, *names: str) -> int:
    monkeypatch.setattr(sys, "argv", ["make_peers.py", *names])
    code: int = make_peers.main()
    return code


def test_all_are_made_and_then_left_alone(peers: Peers, monkeypatch: pytest.MonkeyPatch) -> None:
    assert make(monkeypatch) == 0
    assert peers.installs() == 2
    assert make(monkeypatch) == 0
    assert peers.installs() == 2


def test_a_changed_recipe_is_made_anew(peers: Peers, monkeypatch: pytest.MonkeyPatch) -> None:
    make(monkeypatch)
    peers.write("two", "beta==2.1\n")
    assert make(monkeypatch) == 0
    assert peers.installs() == 3


def test_one_can_be_named(peers: Peers, monkeypatch: pytest.MonkeyPatch) -> None:
    assert make(monkeypatch, "two") == 0
    assert peers.is_ready("two")
    assert not peers.is_ready("one")


def test_an_unknown_name_makes_nothing(
    peers: Peers, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make(monkeypatch, "one", "three") == 2
    assert "no engine three; there are one, two" in capsys.readouterr().err
    assert peers.installs() == 0


def test_a_failure_is_told_and_not_taken_for_an_environment(
    peers: Peers, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(monkeypatch, "one")
    peers.write("one", "alpha==9.9\n")
    peers.verdict.write_text("ERROR: No matching distribution found for alpha==9.9\n")
    assert make(monkeypatch, "one") == 1
    printed = capsys.readouterr()
    assert "one: failed: ERROR: No matching distribution found for alpha==9.9" in printed.out
    assert "1 of 1 could not be made (one)" in printed.err
    assert not peers.is_ready("one")
