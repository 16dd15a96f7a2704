"""``neural-trader journal`` as its users run it."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import polars as pl
import pytest

from neural_trader.execution.journal import FileJournal, walk
from tests.tidy.tree import ROOT

FROZEN = ROOT / "tests" / "golden" / "journal-v1"
LINES = [json.loads(line) for line in FROZEN.with_suffix(".jsonl").read_text().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FROZEN, tmp_path / "journal"))


def journal(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "journal", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
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
        (("--from", "500"), []),
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
            process.communicate(timeout=20)
            assert process.returncode == 130
        finally:
            process.kill()


def test_show_follows_what_is_written(folder: Path) -> None:
    with following("show", folder, "--from", "92", "--follow", "--json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["seq"] == 92
        payload = next(payload for _, payload in walk(folder))
        with FileJournal.open(folder, durability="process-safe") as writer:
            for number in range(93, 96):
                writer.append(payload)
                writer.commit()
                assert json.loads(process.stdout.readline())["seq"] == number


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


def test_what_is_no_journal_is_said(tmp_path: Path) -> None:
    for command in (("show",), ("verify",), ("compact", "--keep", "1")):
        done = journal(command[0], tmp_path / "none", *command[1:])
        assert (done.returncode, "no journal" in done.stderr) == (9, True)


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
def test_project_follows_the_journal(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "tables.sqlite"
    first = journal("project", folder, "--to", path, "--json")
    assert json.loads(first.stdout) == {"records": 92, "last_seq": 92, "to": str(path)}
    with following("project", folder, "--to", path, "--follow", "--json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["records"] == 0
        payload = next(payload for _, payload in walk(folder))
        with FileJournal.open(folder, durability="process-safe") as writer:
            writer.append(payload)
            writer.commit()
        for _ in range(2_000):
            with closing(sqlite3.connect(path)) as db:
                (last,) = db.execute("SELECT last_seq FROM meta").fetchone()
            if last == 93:
                break
        assert last == 93


# ---------------------------------------------------------------------------------------- compact
def test_compact_keeps_the_last_segments(folder: Path) -> None:
    done = journal("compact", folder, "--keep", "1", "--json")
    assert json.loads(done.stdout) == {
        "folder": str(folder), "first_seq": 73, "segments": 1, "removed": 1, "removed_bytes": 4064,
    }  # fmt: skip
    assert journal("show", folder).stdout.startswith("73 ")
    assert journal("compact", folder, "--keep", "1").stdout.split()[:3] == ["first", "seq", "73"]
    assert journal("compact", folder, "--keep", "0").returncode == 2
