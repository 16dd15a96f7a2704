"""``neural-trader journal`` as its users run it."""

import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from neural_trader.execution.journal import FileJournal, walk
from tests.tidy.tree import ROOT

FROZEN = ROOT / "tests" / "golden" / "journal-v1"
WAIT_S = 20.0
LINES = [json.loads(line) for line in FROZEN.with_suffix(".jsonl").read_text().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FROZEN, tmp_path / "journal"))


def journal(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "journal", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
    )


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


# ------------------------------------------------------------------------------------------- show
def test_show_prints_every_record(folder: Path) -> None:
    done = journal("show", folder, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line) for line in done.stdout.splitlines()] == LINES


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (("--from", "90"), [90, 91, 92]),
        (("--to", "3"), [1, 2, 3]),
        (("--from", "5", "--limit", "2"), [5, 6]),
        (("--from", "5", "--to", "6"), [5, 6]),
        (("--from", "6", "--to", "5"), []),
        (("--from", "500"), []),
        # The limit counts what is printed, not what is looked at.
        (("--account", "2", "--limit", "2"), [5, 7]),
    ],
)
def test_show_prints_what_is_asked_for(
    folder: Path, options: tuple[str, ...], wanted: list[int]
) -> None:
    done = journal("show", folder, *options, "--json")
    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == wanted


def test_show_prints_the_records_of_an_account(folder: Path) -> None:
    done = journal("show", folder, "--account", "2", "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found == [line for line in LINES if line.get("account") == 2]
    assert len(found) > 0


def test_show_prints_a_line_a_record(folder: Path) -> None:
    lines = journal("show", folder).stdout.splitlines()
    assert lines[0] == "1 2023-11-14T22:13:20.000000000Z started epoch=1 version=1"
    assert len(lines) == len(LINES)
    (filled,) = [line for line in lines if " filled " in line and "fill_id=1 " in line]
    assert "symbol=KO qty=60 price=5420 value=325200" in filled


def test_show_prints_what_stands_before_the_damage(folder: Path) -> None:
    path = folder / "0000000000000073.log"
    flip(path, 300)
    done = journal("show", folder, "--json")
    assert done.returncode == 9
    assert f"error: {path} is damaged at byte " in done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert 72 < len(found) < 92
    assert found == LINES[: len(found)]


@pytest.mark.parametrize(
    "options", [("--from", "0"), ("--limit", "0"), ("--to", "x"), ("--nonsense",)]
)
def test_show_refuses_what_it_does_not_know(folder: Path, options: tuple[str, ...]) -> None:
    done = journal("show", folder, *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@contextmanager
def following(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a command that does not end by itself, and end it with Ctrl-C."""
    command = [sys.executable, "-m", "neural_trader", "journal", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=WAIT_S)
            assert process.returncode == 130
        finally:
            process.kill()


class Lines:
    """The lines that a process prints, waited for but not for ever."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.fd = process.stdout.fileno()
        self.rest = b""

    def next(self) -> Any:
        """Return the next line, which is JSON."""
        while b"\n" not in self.rest:
            assert select.select([self.fd], [], [], WAIT_S)[0], "nothing was printed"
            data = os.read(self.fd, 1 << 16)
            assert data, "it has ended"
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)


def write_on(folder: Path, *numbers: int) -> Iterator[int]:
    """Write records to a journal one by one, and yield their numbers."""
    payload = next(payload for _, payload in walk(folder))
    with FileJournal.open(folder, durability="process-safe", segment_bytes=4096) as writer:
        for number in numbers:
            assert writer.append(payload) == number
            writer.commit()
            yield number


def test_show_follows_what_is_written(folder: Path) -> None:
    with following("show", folder, "--from", "92", "--follow", "--json") as process:
        lines = Lines(process)
        assert lines.next()["seq"] == 92
        for number in write_on(folder, 93, 94):
            assert lines.next()["seq"] == number
        numbers = list(write_on(folder, *range(95, 300)))
        assert [lines.next()["seq"] for _ in numbers] == numbers
        assert len(list(folder.glob("*.log"))) > 2, "it went over the end of a segment"


def test_show_ends_where_it_was_asked_to_though_it_follows(folder: Path) -> None:
    done = journal("show", folder, "--follow", "--to", "3", "--json")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 3)


# ----------------------------------------------------------------------------------------- verify
def test_verify_counts(folder: Path) -> None:
    done = journal("verify", folder, "--json")
    size = sum(path.stat().st_size for path in folder.glob("*.log"))
    assert json.loads(done.stdout) == {
        "folder": str(folder), "records": 92, "segments": 2, "first_seq": 1, "last_seq": 92,
        "bytes": size, "torn_bytes": 0,
    }  # fmt: skip
    text = journal("verify", folder).stdout.split()
    assert text[:2] == ["records", "92"]


def test_verify_names_the_place_of_damage(folder: Path) -> None:
    path = folder / "0000000000000001.log"
    flip(path, 300)
    done = journal("verify", folder)
    assert done.returncode == 9
    assert f"{path} is damaged at byte " in done.stderr
    assert done.stderr.count("\n") == 1
    assert journal("show", folder).returncode == 9


def test_verify_counts_a_torn_tail(folder: Path) -> None:
    path = folder / "0000000000000073.log"
    path.write_bytes(path.read_bytes()[:-5])
    done = journal("verify", folder, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["torn_bytes"] > 0
    assert json.loads(done.stdout)["records"] == 91
    assert "torn bytes  290" in journal("verify", folder).stdout
    # To look is not to mend: that is the next writer's.
    assert len(journal("show", folder).stdout.splitlines()) == 91
    assert path.stat().st_size == 1_229


@pytest.mark.parametrize(
    "command",
    [
        ("show",),
        ("verify",),
        ("compact", "--keep", "1"),
        ("export", "--format", "jsonl", "--output", "out"),
        ("project", "--to", "out"),
    ],
)
def test_what_is_no_journal_is_said(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = journal(command[0], tmp_path / "none", *command[1:], cwd=tmp_path)
    assert (done.returncode, "no journal" in done.stderr) == (9, True)
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


# ----------------------------------------------------------------------------------------- export
def test_both_exports_hold_every_field(folder: Path, tmp_path: Path) -> None:
    lines, table = tmp_path / "out.jsonl", tmp_path / "out.parquet"
    for path, layout in ((lines, "jsonl"), (table, "parquet")):
        done = journal("export", folder, "--format", layout, "--output", path, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"records": 92, "format": layout, "output": str(path)}
    assert [json.loads(line) for line in lines.read_text().splitlines()] == LINES
    for row, line in zip(pl.read_parquet(table).to_dicts(), LINES, strict=True):
        given = {name: value for name, value in row.items() if value is not None}
        wanted = {
            name: value
            if isinstance(value, int | str)
            else json.dumps(value, separators=(",", ":"))
            for name, value in line.items()
        }
        assert given == wanted


def test_a_file_that_is_there_is_kept_without_force(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("mine")
    options = ("export", folder, "--format", "jsonl", "--output", path)
    done = journal(*options)
    assert (done.returncode, "--force" in done.stderr, path.read_text()) == (2, True, "mine")
    assert journal(*options, "--force").returncode == 0
    assert path.read_text() != "mine"


def test_a_damaged_journal_leaves_no_file(folder: Path, tmp_path: Path) -> None:
    flip(folder / "0000000000000001.log", 2_000)
    path = tmp_path / "out.parquet"
    done = journal("export", folder, "--format", "parquet", "--output", path)
    assert done.returncode == 9
    assert sorted(os.listdir(tmp_path)) == ["journal"]  # noqa: PTH208 - names


# ---------------------------------------------------------------------------------------- project
def last_seq(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT last_seq FROM meta").fetchone()[0])


def wait_for(path: Path, seq: int) -> None:
    """Wait until a record has been projected."""
    until = time.monotonic() + WAIT_S
    while last_seq(path) < seq:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_project_follows_the_journal(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "tables.sqlite"
    first = journal("project", folder, "--to", path, "--json")
    assert json.loads(first.stdout) == {"records": 92, "last_seq": 92, "to": str(path)}
    with following("project", folder, "--to", path, "--follow", "--json") as process:
        assert Lines(process).next()["records"] == 0
        for number in write_on(folder, 93, 94):
            wait_for(path, number)
    assert last_seq(path) == 94
    assert journal("project", folder, "--to", path).stdout.split()[:2] == ["records", "0"]


def test_project_goes_on_after_a_kill(folder: Path, tmp_path: Path) -> None:
    path, whole = tmp_path / "tables.sqlite", tmp_path / "whole.sqlite"
    assert journal("project", folder, "--to", path).returncode == 0
    end = list(write_on(folder, *range(93, 8_000)))[-1]
    command = [sys.executable, "-m", "neural_trader", "journal", "project", str(folder)]
    for turn in range(5):
        with subprocess.Popen([*command, "--to", str(path)], stdout=subprocess.DEVNULL) as process:
            # One transaction is a segment of some hundred records: it dies among them.
            wanted = 93 + turn * end // 6
            while last_seq(path) < wanted and process.poll() is None:
                pass
            process.kill()
    for place in (path, whole):
        assert journal("project", folder, "--to", place).returncode == 0
        assert last_seq(place) == end
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(whole)) as two:
        assert list(one.iterdump()) == list(two.iterdump())


def test_project_refuses_a_file_that_is_something_else(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE mine (x)")
    done = journal("project", folder, "--to", path)
    assert (done.returncode, done.stderr.count("\n")) == (9, 1)
    assert f"{path} is no projection of a journal" in done.stderr


# ---------------------------------------------------------------------------------------- compact
def test_compact_keeps_the_last_segments(folder: Path) -> None:
    done = journal("compact", folder, "--keep", "1", "--json")
    assert json.loads(done.stdout) == {
        "folder": str(folder), "first_seq": 73, "segments": 1, "removed": 1, "removed_bytes": 4064,
    }  # fmt: skip
    assert journal("show", folder).stdout.startswith("73 ")
    assert journal("compact", folder, "--keep", "1").stdout.split()[:3] == ["first", "seq", "73"]
    assert journal("compact", folder, "--keep", "0").returncode == 2
