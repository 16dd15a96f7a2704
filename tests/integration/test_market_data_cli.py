"""``neural-trader market-data``, from the outside: what it prints, keeps and never shows."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.alpaca_server import KEY_ID, SECRET, AlpacaServer, daily_bars

DAYS = [dt.date(2021, 1, 4) + dt.timedelta(days=each) for each in range(60)]
ENVIRONMENT = {"APCA_API_KEY_ID": KEY_ID, "APCA_API_SECRET_KEY": SECRET}


def run(
    folder: Path, *words: str, keys: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("APCA_")}
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "market-data", *words],
        cwd=folder,
        env=clean | {"NEURAL_TRADER_CACHE": str(folder / "cache")} | (keys or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def told(folder: Path, *words: str, code: int = 0, **options: Any) -> dict[str, Any]:
    done = run(folder, *words, "--json", **options)
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def fetch(url: str, symbols: str, *more: str) -> list[str]:
    words = ["fetch", "--provider", "alpaca", "--symbols", symbols, "--start", "2021-01-01"]
    words += ["--end", "2021-12-31"]
    return [*words, "--output", "prices", "--url", url, *more]


def test_fetch_from_alpaca(tmp_path: Path) -> None:
    bars = {"AAPL": daily_bars(DAYS, 1), "BRK.B": daily_bars(DAYS, 2)}
    with AlpacaServer(bars) as server:
        found = told(tmp_path, *fetch(server.url, "AAPL,BRK.B"), keys=ENVIRONMENT)
        assert [each["status"] for each in found["symbols"]] == ["fetched", "fetched"]
        again = told(tmp_path, *fetch(server.url, "AAPL,BRK.B"), keys=ENVIRONMENT)
        assert [each["status"] for each in again["symbols"]] == ["up to date"] * 2
        failed = run(tmp_path, *fetch(server.url, "AAPL,NONE"), keys=ENVIRONMENT)
        assert failed.returncode == 3
        assert "1 of 2 symbols failed" in failed.stderr
        assert "NONE lacks 2021-01-01 to 2021-12-31" in " ".join(failed.stdout.split())
        asked = len(server.requests)
        unkeyed = run(tmp_path, *fetch(server.url, "MSFT"))
        assert (unkeyed.returncode, len(server.requests)) == (2, asked)
        assert "APCA_API_KEY_ID" in unkeyed.stderr
        bad = ENVIRONMENT | {"APCA_API_SECRET_KEY": "wrong-secret"}
        refused = run(tmp_path, *fetch(server.url, "MSFT"), keys=bad)
        assert refused.returncode == 2
        assert "Check the keys" in refused.stderr
        for done in (failed, refused):
            for secret in (*ENVIRONMENT.values(), "wrong-secret"):
                assert secret not in done.stdout + done.stderr
    [series, _] = told(tmp_path, "list", "--catalog", "prices")["series"]
    assert (series["symbol"], series["feed"], series["rows"]) == ("AAPL", "iex", 60)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not [each for each in ENVIRONMENT.values() if each.encode() in kept]


def test_ctrl_c_keeps_what_has_come(tmp_path: Path) -> None:
    names = ",".join(f"S{each}" for each in range(60))
    bars = {name: daily_bars(DAYS, 1) for name in names.split(",")}
    with AlpacaServer(bars, delay_s=0.1) as server:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "neural_trader", "market-data"),
                *fetch(server.url, names, "--workers", "2"),
            ],
            cwd=tmp_path,
            env=dict(os.environ) | ENVIRONMENT,
            stderr=subprocess.PIPE,
            text=True,
        )
        patience = time.monotonic() + 30
        while len(list(tmp_path.glob("prices/1Day/*.parquet"))) < 4:
            assert time.monotonic() < patience
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "run the same command to go on" in words
        kept = len(list(tmp_path.glob("prices/1Day/*.parquet")))
        assert 4 <= kept < 60
        server.requests.clear()
        server.delay_s = 0
        found = told(tmp_path, *fetch(server.url, names), keys=ENVIRONMENT)
    assert [each["status"] for each in found["symbols"]].count("up to date") == kept
    assert len(server.requests) == 60 - kept


def test_import_list_show_verify_export(tmp_path: Path) -> None:
    found = told(tmp_path, "import", "us-ohlcv", "--output", "prices", "--symbols", "AAPL,MSFT")
    assert [each["added"] for each in found["symbols"]] == [3270, 3270]
    [aapl, msft] = told(tmp_path, "list", "--catalog", "prices")["series"]
    assert (aapl["symbol"], msft["symbol"], aapl["basis"]) == ("AAPL", "MSFT", "raw")
    shown = told(tmp_path, "show", "AAPL", "--catalog", "prices", "--rows", "2")
    assert shown["bars"][-1]["close"] == 430.47
    assert shown["provenance"]["splits"][0] == {"date": "2000-06-21", "ratio": 2.0}
    words = run(tmp_path, "show", "AAPL", "--catalog", "prices", "--rows", "0").stdout
    assert "splits      2:1 on 2000-06-21; 2:1 on 2005-02-28\n" in words
    assert "writes      3,270 added, 0 replaced at " in words
    assert not set("[{") & set(words)
    wrong = run(tmp_path, "verify", "--catalog", "prices", "--symbols", "aapl")
    assert (wrong.returncode, "did you mean AAPL?" in wrong.stderr) == (3, True)
    checked = told(tmp_path, "verify", "--catalog", "prices", "--calendar", "XNYS")
    assert [(each["ok"], each["missing"]) for each in checked["series"]] == [(True, [])] * 2
    told(tmp_path, "export", "--catalog", "prices", "--output", "all.csv")
    again = told(tmp_path, "import", "all.csv", "--output", "again")
    assert [each["rows"] for each in again["symbols"]] == [3270, 3270]
    for name in ("all.parquet", "all.csv"):
        told(tmp_path, "export", "--catalog", "again", "--output", name)
        same = told(tmp_path, "import", name, "--output", "again", "--on-conflict", "refuse")
        # Another source, the same bars: nothing is added and nothing conflicts.
        assert [each["same"] for each in same["symbols"]] == [3270, 3270]
    path = tmp_path / "prices" / "1Day" / "AAPL.parquet"
    data = path.read_bytes()
    path.write_bytes(data[:5000] + b"x" + data[5001:])
    bad = told(tmp_path, "verify", "--catalog", "prices", code=3)
    assert [each["ok"] for each in bad["series"]] == [False, True]


def test_a_bad_file_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "KO.csv").write_text("date,close\n2021-01-04,1\n2021-01-05,-1\n")
    done = run(tmp_path, "import", "KO.csv", "--output", "prices")
    assert done.returncode == 3
    assert "row 2 (line 3 of KO.csv): KO: close -1.0 is not positive" in done.stderr
    assert not (tmp_path / "prices").exists()


def fetch_from(provider: str, start: str, *more: str) -> list[str]:
    words = ["fetch", "--provider", provider, "--symbols", "A", "--start", start]
    return [*words, "--output", "p", *more]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["list", "--catalog", "nothing"], 3, "there is no catalog at nothing"),
        (["verify", "--catalog", "nothing"], 3, "there is no catalog"),
        (["show", "A", "--catalog", "nothing"], 3, "there is no catalog at nothing"),
        (["export", "--catalog", "nothing", "--output", "x.csv"], 3, "there is no catalog"),
        (["show", "A", "--catalog", "."], 3, "has no series"),
        (["import", "us-ohlcv", "--output", "p", "--frequency", "2Day"], 2, "frequency"),
        (["import", "us-ohlcv", "--output", "p", "--symbols", ","], 2, "names none"),
        (["import", "nothing.csv", "--output", "p"], 3, "is not there"),
        (
            fetch_from("samples", "2001-01-01", "--feed", "iex"),
            2,
            "--feed does not go with --provider samples",
        ),
        (
            fetch_from("http", "2001-01-01"),
            2,
            "needs --url",
        ),
        (
            fetch_from("local", "2001-01-01"),
            2,
            "needs --source",
        ),
        (
            fetch_from("samples", "2001-02-30"),
            2,
            "2001-02-30",
        ),
        (fetch_from("nobody", "2001-01-01"), 2, "nobody"),
        (
            fetch_from("yahoo", "2001-01-01", "--tries", "0"),
            2,
            "--tries is 0",
        ),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, words: list[str], code: int, says: str) -> None:
    done = run(tmp_path, *words)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.rglob("*.parquet"))


def test_actions_are_listed_and_brought_in(tmp_path: Path) -> None:
    run(tmp_path, "import", "us-ohlcv", "--output", "prices")
    listed = told(tmp_path, "actions", "--catalog", "prices", "--symbols", "AAPL")
    assert [(each["ex_date"], each["ratio"]) for each in listed["actions"]] == [
        ("2000-06-21", 2.0),
        ("2005-02-28", 2.0),
    ]
    assert listed["series"][0]["dividends"] is None
    (tmp_path / "actions.csv").write_text(
        "symbol,ex_date,kind,ratio,amount,currency\n"
        "MSFT,2003-02-19,dividend,,0.08,USD\n"
        "MSFT,2004-11-15,special,,3.00,USD\n"
        "XYZ,2004-11-15,dividend,,1,USD\n"
    )
    words = ("actions", "--catalog", "prices", "--import", "actions.csv")
    found = told(tmp_path, *words)
    assert found["skipped"] == ["XYZ"]
    assert [(each["symbol"], each["dividends"], each["added"]) for each in found["series"]] == [
        ("MSFT", 2, 2)
    ]
    assert found["actions"][-1] == {
        "symbol": "MSFT",
        "ex_date": "2004-11-15",
        "kind": "special-dividend",
        "ratio": None,
        "amount": 3.0,
        "currency": "USD",
    }
    text = run(tmp_path, *words, "--replace")
    assert "left out, not among the series: XYZ" in text.stdout
    out = told(
        tmp_path,
        *("export", "--catalog", "prices", "--symbols", "MSFT"),
        *("--adjust", "total-return", "--output", "msft.csv"),
    )
    assert out["basis"] == "total-return"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--replace",), 2, "expected --import FILE beside it"),
        (("--symbols", ","), 2, "--symbols names none"),
        (("--symbols", "AAP"), 3, "did you mean AAPL?"),
        (("--import", "bad.csv"), 3, "row 1 (line 2 of bad.csv): ratio is '0'"),
        (("--import", "none.csv"), 3, "is not there"),
    ],
)
def test_actions_that_cannot_be_had(
    tmp_path: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    run(tmp_path, "import", "us-ohlcv", "--output", "prices", "--symbols", "AAPL")
    (tmp_path / "bad.csv").write_text("symbol,ex_date,ratio\nAAPL,2001-01-02,0\n")
    done = run(tmp_path, "actions", "--catalog", "prices", *words)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr


def test_a_backtest_takes_a_table_of_actions(tmp_path: Path) -> None:
    table = tmp_path / "actions.csv"
    table.write_text("symbol,ex_date,kind,amount\nMSFT,2004-11-15,special,3.00\n")
    words = ("--strategy", "sma-cross", "--symbols", "MSFT", "--data", "us-ohlcv", "--json")
    total = ("--adjust", "total-return")

    def backtest(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "neural_trader", "backtest", *words, *more],
            env=os.environ | {"NEURAL_TRADER_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )

    done = backtest(*total, "--actions", str(table))
    assert done.returncode == 0, done.stderr
    assert "total-return" in done.stdout
    assert (backtest(*total).returncode, backtest("--actions", "no.csv").returncode) == (3, 3)
    fee = backtest(*total, "--actions", str(table), "--fee-per-share", "0.01")
    assert (fee.returncode, "use costs in basis points" in fee.stderr) == (2, True)
