"""``market-data quality``, from the outside: tables, JSON, the page and exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "market-data", "quality", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_json_has_counts_and_findings(tmp_path: Path) -> None:
    done = run(tmp_path, "--data", "us-ohlcv", "--symbols", "AAPL", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == [
        *("data", "symbols", "calendar", "counts", "by_symbol", "findings", "report"),
    ]
    assert found["counts"]["error"] == 0
    keys = {"symbol", "kind", "severity", "first", "last", "bars", "value"}
    keys |= {"expected", "message", "advice"}
    assert all(set(one) == keys for one in found["findings"])
    assert "2000-09-29" in {
        one["first"] for one in found["findings"] if one["kind"] == "large_move"
    }


def test_a_page_is_written_whole_and_the_same_again(tmp_path: Path) -> None:
    first = run(tmp_path, "--data", "sp500-closes", "--report", "a.html")
    assert first.returncode == 0, first.stderr
    assert "RRC" in first.stdout
    assert "the page is a.html" in first.stdout
    run(tmp_path, "--data", "sp500-closes", "--report", "b.html")
    page = (tmp_path / "a.html").read_bytes()
    assert page == (tmp_path / "b.html").read_bytes()
    assert len(page) < 1_000_000
    assert b"http" not in page.replace(b'http-equiv="Content', b"")
    assert run(tmp_path, "--data", "us-ohlcv", "--report", "no/such.html").returncode == 3


def test_exit_codes(tmp_path: Path) -> None:
    def code(*words: str) -> int:
        return run(tmp_path, *words).returncode

    assert code() == 2
    assert code("--data", "us-ohlcv", "--catalog", ".") == 2
    assert code("--data", "us-ohlcv", "--symbols", "NOPE") == 3
    assert code("--data", "us-ohlcv", "--fail-on", "error") == 0
    assert code("--data", "us-ohlcv", "--fail-on", "warning") == 3
    bad = tmp_path / "bad.csv"
    bad.write_text("date,close\n2021-01-04,10\n2021-01-05,-1\n2021-01-06,11\n")
    failed = run(tmp_path, "--data", "bad.csv", "--fail-on", "error")
    assert failed.returncode == 3
    assert "row 2" in failed.stderr
    assert "row 2" in run(tmp_path, "--data", "bad.csv").stdout
    assert code("--data", "bad.csv", "--report", "bad.html") == 0
    assert "No bars could be loaded" in (tmp_path / "bad.html").read_text()
    assert code("--data", "us-ohlcv", "--frequency", "5Min") == 2
    assert code("--data", "us-ohlcv", "--start", "2020-01-01") == 3
    assert code("--catalog", "nothing") == 3


def test_gaps_by_calendar(tmp_path: Path) -> None:
    pytest.importorskip("exchange_calendars")
    done = run(tmp_path, "--data", "us-ohlcv", "--calendar", "XNYS", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["calendar"] == "XNYS"
    assert not [one for one in found["findings"] if one["kind"] == "gap"]
