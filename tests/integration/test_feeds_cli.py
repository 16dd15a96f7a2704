"""``market-data replay`` and ``paper``, from the outside: lines, summaries, exit codes."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_market_data_cli import run

TRADES = """time,symbol,price,size
2024-01-02T14:30:01Z,A,10,5
2024-01-02T14:31:02Z,A,11,5
2024-01-02T14:30:30Z,A,9,1
2024-01-02T14:33:02Z,A,12,5
"""
PAIRS = ("--strategy", "pairs", "--symbols", "KO,PEP", "--data", "sp500-closes")


@pytest.fixture
def trades(tmp_path: Path) -> Path:
    path = tmp_path / "trades.csv"
    path.write_text(TRADES)
    return path


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def closes(events: list[dict[str, Any]]) -> list[tuple[float, float, bool]]:
    return [(e["close"], e["volume"], e["amends"]) for e in events if e["event"] == "bar"]


def test_bars_as_lines_of_json_and_a_summary(tmp_path: Path) -> None:
    done = run(tmp_path, "replay", "--data", "us-ohlcv", "--start", "2013-02-28", "--json")
    assert done.returncode == 0, done.stderr
    events = lines(done)
    assert [e["event"] for e in events[:4]] == ["bar", "bar", "bar", "heartbeat"]
    assert events[-1]["event"] == "summary"
    assert events[-1]["symbols"] == ["AAPL", "IBM", "MSFT"]
    assert events[-1]["complete"] is True
    assert events[-1]["counts"]["bars"] == 6


def test_bars_for_people(tmp_path: Path) -> None:
    words = ("--data", "us-ohlcv", "--symbols", "IBM", "--start", "2013-03-01")
    done = run(tmp_path, "replay", *words)
    assert done.stdout.splitlines()[0].startswith("2013-03-01  IBM  bar  open 200.65")
    assert "us-ohlcv: the whole recording of 1 symbols" in done.stdout


@pytest.mark.parametrize(
    ("more", "bars", "late"),
    [
        ((), [(10, 5, False), (11, 5, False), (12, 5, False)], 1),
        (("--lateness", "32"), [(9, 6, False), (11, 5, False), (12, 5, False)], 0),
        (
            ("--on-late", "amend"),
            [(10, 5, False), (9, 6, True), (11, 5, False), (12, 5, False)],
            1,
        ),
    ],
)
def test_trades_to_bars(
    tmp_path: Path, trades: Path, more: tuple[str, ...], bars: list[Any], late: int
) -> None:
    done = run(
        tmp_path,
        "replay",
        "--data",
        str(trades),
        "--to",
        "1Min",
        "--incomplete",
        "keep",
        *more,
        "--json",
    )
    assert done.returncode == 0, done.stderr
    assert closes(lines(done)) == bars
    assert lines(done)[-1]["counts"]["late"] == late


def test_a_last_bar_that_is_not_over_is_left_out(tmp_path: Path, trades: Path) -> None:
    done = run(tmp_path, "replay", "--data", str(trades), "--to", "1Min", "--json")
    assert closes(lines(done)) == [(10, 5, False), (11, 5, False)]
    assert lines(done)[-1]["counts"]["unfinished"] == 1


def test_an_error_comes_after_the_summary(tmp_path: Path, trades: Path) -> None:
    words = ("--data", str(trades), "--to", "1Min", "--on-late", "error", "--json")
    done = run(tmp_path, "replay", *words)
    assert done.returncode == 3
    assert "came 32 s after the allowance" in done.stderr
    assert lines(done)[-1]["complete"] is False


def test_silence_is_told(tmp_path: Path, trades: Path) -> None:
    done = run(tmp_path, "replay", "--data", str(trades), "--stale", "60")
    assert done.stdout.count("stale  silent for") == 2
    assert done.stdout.count("fresh  it is back") == 2


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--data", "nothing-here"), 3, "nothing-here"),
        (("--data", "us-ohlcv", "--symbols", "ZZZ"), 3, "unknown symbol 'ZZZ'"),
        (("--data", "us-ohlcv", "--symbols", ""), 2, "--symbols is ''"),
        (("--data", "us-ohlcv", "--speed", "-1"), 2, "speed is -1.0"),
        (("--data", "us-ohlcv", "--speed", "nan"), 2, "speed is nan"),
        (("--data", "us-ohlcv", "--lateness", "5"), 2, "say which with --to"),
        (("--data", "us-ohlcv", "--on-late", "drop"), 2, "--on-late is for bars"),
        (("--data", "us-ohlcv", "--to", "5Weeks"), 2, "frequency is '5Weeks'"),
        (("--data", "us-ohlcv", "--to", "tick:5"), 2, "are made of trades"),
        (("--data", "us-ohlcv", "--to", "1Day", "--lateness", "-1"), 2, "lateness_s is -1.0"),
        (("--data", "us-ohlcv", "--stale", "0"), 2, "limit_s is 0.0"),
        ((), 2, "--data"),
    ],
)
def test_what_cannot_be_played(
    tmp_path: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    done = run(tmp_path, "replay", *words)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stdout == ""


def interrupted(*words: str) -> tuple[int, str]:
    """Start a command, interrupt it after its first line, and return its code and output."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "neural_trader", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        return process.returncode, first + rest


def test_ctrl_c_prints_the_summary() -> None:
    code, output = interrupted("market-data", "replay", "--data", "us-ohlcv", "--speed", "1")
    assert code == 130
    assert "us-ohlcv: a part of the recording of 3 symbols" in output


def paper(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_paper_trading_prints_what_a_backtest_prints(tmp_path: Path) -> None:
    words = (*PAIRS, "--start", "2021-01-01", "--fee-bps", "5", "--json")
    ours, theirs = paper(tmp_path, "paper", *words), paper(tmp_path, "backtest", *words)
    assert ours.returncode == 0, ours.stderr
    assert ours.stdout == theirs.stdout


def test_paper_trading_tells_fills_as_they_happen(tmp_path: Path) -> None:
    words = ("--start", "2021-01-01", "--end", "2021-12-31", "--save", "result.bin")
    done = paper(tmp_path, "paper", *PAIRS, *words)
    assert done.returncode == 0, done.stderr
    assert sum(" buys " in line or " sells " in line for line in done.stdout.splitlines()) > 0
    assert (tmp_path / "result.bin").exists()


def test_paper_trading_refuses_what_backtests_refuse(tmp_path: Path) -> None:
    assert paper(tmp_path, "paper", *PAIRS, "--capital", "-1").returncode == 2
    assert paper(tmp_path, "paper", *PAIRS[:-1], "nothing-here").returncode == 3
    (tmp_path / "fails.py").write_text(
        "import neural_trader as nt\n\n\nclass Fails(nt.Strategy):\n"
        "    def on_bar(self, ctx):\n        raise ValueError('mine')\n"
    )
    done = paper(tmp_path, "paper", "--strategy", "fails.py", "--data", "us-ohlcv")
    assert done.returncode == 7
    assert "mine" in done.stderr
