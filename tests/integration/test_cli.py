"""The command line as its users meet it: real processes, their output, errors and exit codes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT

PAIRS = ("--strategy", "pairs", "--symbols", "KO,PEP", "--data", "sp500-closes")
PUBLISHED = (
    *PAIRS, "--start", "2021-01-01", "--end", "2021-12-31", "--warmup", "inside",
    "--capital", "100000", "--lookback", "60", "--entry", "2.0", "--exit", "0.5",
    "--gross", "20000", "--fee-bps", "5", "--slippage-bps", "5",
)  # fmt: skip


def run(*arguments: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=cwd,
        env=os.environ | env,
    )


def test_the_published_command_prints_the_published_answer() -> None:
    done = run("backtest", *PUBLISHED, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["trades"] == 2
    assert answer["fills"] == 8
    assert round(answer["final_equity"], 4) == 99486.6097
    assert answer["metrics"]["total_return"] == pytest.approx(answer["final_equity"] / 1e5 - 1)
    assert set(answer["provenance"]) >= {
        "version", "config", "config_hash", "data_name", "data_hash",
    }  # fmt: skip
    assert answer["provenance"]["config"]["strategy"]["kind"] == "pairs"


def test_an_undefined_metric_is_null_with_its_reason() -> None:
    done = run("backtest", *PAIRS, "--end", "1990-02-01", "--json")
    answer = json.loads(done.stdout)
    assert answer["trades"] == 0
    assert answer["metrics"]["trade_hit_rate"] is None
    assert answer["undefined"]["trade_hit_rate"] == "no closed trade"
    assert "NaN" not in done.stdout


def test_the_same_run_prints_the_same_bytes(tmp_path: Path) -> None:
    pages = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        more = ("--report", "r.html", "--save", "r.ntr", "--json")
        done = run("backtest", *PUBLISHED, *more, cwd=folder, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
        pages.append((done.stdout, *(path.read_bytes() for path in sorted(folder.iterdir()))))
    assert len(pages[0]) == 3
    assert pages[0] == pages[1]


def test_the_last_lines_are_trades_equity_and_report(tmp_path: Path) -> None:
    done = run("backtest", *PUBLISHED, "--report", str(tmp_path / "out.html"))
    last = [line.split() for line in done.stdout.splitlines()[-3:]]
    assert last == [
        ["trades", "2"],
        ["final", "equity", "99,486.6097"],
        ["report", str(tmp_path / "out.html")],
    ]
    assert (tmp_path / "out.html").stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("backtest", *PAIRS, "--exit", "2.5"), 2, "exit is 2.5 and entry is 2.0"),
        (("backtest", *PAIRS, "--lookback", "2"), 2, "lookback is 2; expected"),
        (("backtest", *PAIRS, "--fast", "3"), 2, "--fast belongs to sma-cross"),
        (("backtest", *PAIRS, "--gross", "lots"), 2, "gross is 'lots'"),
        (("backtest", *PAIRS, "--capital", "-1"), 2, "capital is -1.0"),
        (("backtest", *PAIRS, "--start", "yesterday"), 2, "start is 'yesterday'; expected"),
        (("backtest", *PAIRS, "--lookbak", "9"), 2, "--lookback"),
        (("backtest", *PAIRS, "--start", "2021-02-01", "--end", "2021-01-01"), 2, "start"),
        (("backtest", *PAIRS[:3], "KO", *PAIRS[4:]), 2, "pairs takes 2 symbols"),
        (("backtest", *PAIRS[:3], "KO,PEPP", *PAIRS[4:]), 3, "did you mean PEP?"),
        (("backtest", *PAIRS[:5], "sp500-close"), 3, "did you mean sp500-closes?"),
        (("backtest", *PAIRS[:5], "./no/such.csv"), 3, "is not there"),
        (("backtest", *PAIRS, "--start", "2030-01-01"), 3, "the data run from"),
        (("backtest", *PAIRS, "--fill-at", "open"), 3, "has no open prices"),
        (("backtest", *PAIRS, "--gross", "300000"), 4, "the limit is 2 x"),
        (("backtst",), 2, "did you mean 'backtest'?"),
        (("bench", "backtest", "--case", "nope"), 2, "expected one of pairs_1y"),
    ],
)
def test_an_error_is_one_clear_line(arguments: tuple[str, ...], code: int, said: str) -> None:
    done = run(*arguments)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()[-1]) > 20


def test_an_error_leaves_no_file(tmp_path: Path) -> None:
    done = run("backtest", *PAIRS, "--gross", "300000", "--report", str(tmp_path / "r.html"))
    assert done.returncode == 4
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback() -> None:
    assert "Traceback" in run("--debug", "backtest", *PAIRS, "--exit", "2.5").stderr


def test_samples() -> None:
    listed = json.loads(run("data", "samples", "--json").stdout)
    assert [sample["name"] for sample in listed] == ["sp500-closes", "us-ohlcv"]
    assert sum(sample["bytes"] for sample in listed) < 1_500_000
    assert len(listed[1]["splits"]) == 3
    assert "survivors" in run("data", "samples").stdout


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("backtest", "--help")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    program = (
        "import sys; from neural_trader.app.cli.main import main\n"
        f"sys.argv[1:] = {list(arguments)!r}\n"
        "try:\n    main()\n"
        "except SystemExit:\n"
        "    heavy = {'numpy', 'polars', 'pandas', 'rich', 'msgspec'} & set(sys.modules)\n"
        "    print('heavy:', sorted(heavy), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    allowed = "['msgspec']" if arguments[0] == "backtest" else "[]"
    assert done.stderr.strip() == f"heavy: {allowed}"


def test_a_warm_backtest_needs_neither_polars_nor_rich() -> None:
    program = (
        "import sys; from neural_trader.app.cli.main import main\n"
        f"sys.argv[1:] = {['backtest', *PUBLISHED, '--json']!r}\n"
        "try:\n    main()\n"
        "except SystemExit:\n"
        "    print(sorted({'polars', 'pandas', 'rich'} & set(sys.modules)), file=sys.stderr)\n"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
        )
    assert done.stderr.strip() == "[]"


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m neural_trader data samples | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == ""


def documented() -> list[str]:
    """Return the commands that stand in the documentation, continuation lines joined."""
    text = "".join(
        (ROOT / name).read_text().replace("\\\n", " ") for name in ("docs/cli.md", "README.md")
    )
    found = re.findall(r"^    neural-trader (.*)$", text, re.MULTILINE)
    return [line for line in found if "MINE" not in line and not line.startswith("bench")]


@pytest.mark.parametrize("line", documented())
def test_documented_commands_run(line: str, tmp_path: Path) -> None:
    done = run(*line.split(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout
