"""The command line as its users meet it: real processes, their output, errors and exit codes."""

import json
import os
import re
import shlex
import shutil
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


ORDER_PATH = ("serve", "venue", "order", "positions", "kill-switch", "journal")
"""Commands that need processes beside them: tests/integration/order_path runs their lines."""


def documented() -> list[str]:
    """Return the commands that stand in the documentation, continuation lines joined."""
    text = "".join(
        (ROOT / name).read_text().replace("\\\n", " ") for name in ("docs/cli.md", "README.md")
    )
    found = re.findall(r"^    neural-trader (.*)$", text, re.MULTILINE)
    apart = ("MINE", "--provider alpaca", "--provider yahoo")
    return [
        line
        for line in found
        if not any(word in line for word in apart) and not line.startswith(("bench", *ORDER_PATH))
    ]


@pytest.mark.parametrize("line", documented())
def test_documented_commands_run(line: str, tmp_path: Path) -> None:
    if "my_idea.py" in line:
        assert run("new", "strategy", "my-idea", cwd=tmp_path).returncode == 0
    if "examples/" in line:
        shutil.copytree(ROOT / "examples", tmp_path / "examples")
    if line.startswith("neural"):
        pytest.importorskip("torch", reason="PyTorch trains the network: make neural-test")
    if "--model sp500" in line:
        trained = ("--data", "sp500-closes", "--horizon", "5", "--steps", "5")
        made = run("neural", "train", *trained, "--output", "sp500", cwd=tmp_path)
        assert made.returncode == 0, made.stderr
    if "--catalog prices" in line and not line.startswith("market-data import"):
        asked = ("--provider", "samples", "--symbols", "AAPL,MSFT")
        span = ("--start", "2005-01-01", "--end", "2005-12-31")
        fetched = run("market-data", "fetch", *asked, *span, "--catalog", "prices", cwd=tmp_path)
        assert fetched.returncode == 0, fetched.stderr
    if "trades.csv" in line:
        row = "2024-01-02T14:30:01Z,AAPL,185.5,100\n"
        (tmp_path / "trades.csv").write_text(f"time,symbol,price,size\n{row}")
    done = run(*shlex.split(line, comments=True), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backtest", "--lookbak", "9"), "error: No such option '--lookbak'. Did you mean"),
        (
            ("backtest",),
            "error: Missing option '--strategy'. Choose from: pairs, sma-cross, ema-cross",
        ),
        (("backtest", *PAIRS, "--lookback", "x"), "See neural-trader backtest --help"),
        (("backtst",), "error: no command 'backtst'"),
    ],
)
def test_wrong_usage_is_one_line_too(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_example_in_the_help_keeps_its_lines() -> None:
    lines = run("backtest", "--help", COLUMNS="80").stdout.splitlines()
    first = next(n for n, line in enumerate(lines) if "neural-trader backtest --s" in line)
    assert [line.endswith(" \\") for line in lines[first : first + 3]] == [True, True, False]
    assert lines[first + 2].strip() == "--report pairs.html"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--report", "a.html", "--save", "./a.html"), "--report and --save are both ./a.html"),
        (("--report", "mine.csv", "--data", "mine.csv"), "--data and --report are both mine.csv"),
        (("--report", ""), "--report is ''"),
        (("--save", " "), "--save is ' '"),
        (("--data", ""), "--data is ''"),
    ],
)
def test_a_path_that_would_do_harm_is_refused(
    tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("date,KO,PEP\n2021-01-04,1,2\n2021-01-05,1,2\n")
    before = mine.read_bytes()
    done = run("backtest", *PAIRS, *more, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == [mine]
    assert mine.read_bytes() == before


def test_a_file_in_the_way_of_the_report_is_no_bug_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("backtest", *PAIRS, "--report", str(tmp_path / "file" / "r.html"))
    assert done.returncode == 3
    assert done.stderr.startswith("error: cannot write")


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_reader_that_has_gone_is_no_error_of_a_backtest(more: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "neural_trader", "backtest", *PUBLISHED, *more],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the full device is Linux's")
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_an_output_that_is_full_is_told(more: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "neural_trader", "backtest", *PUBLISHED, *more],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr == (
        "error: cannot read or write a file or the output: No space left on device\n"
    )


def test_an_output_that_is_closed_is_no_bug_of_ours() -> None:
    command = f"{sys.executable} -m neural_trader data samples >&-"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_symbol_that_the_terminal_cannot_print_is_escaped(tmp_path: Path) -> None:
    days = "".join(f"2021-01-{day:02},{10 + day}\n" for day in range(1, 20))
    (tmp_path / "mine.csv").write_text(f"date,Ä\n{days}", encoding="utf-8")
    done = run(
        "backtest", "--strategy", "sma-cross", "--symbols", "Ä", "--data", "mine.csv",
        cwd=tmp_path, PYTHONIOENCODING="ascii",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "\\xc4" in done.stdout
