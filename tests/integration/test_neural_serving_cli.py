"""``neural-trader neural forecast``, ``export`` and ``import`` as their users call them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.data import load
from neural_trader.forecast import Forecaster, Offsets, save_artefact
from tests.made_forecasts import made_artefact, made_network

KEYS = [
    "symbol",
    "as_of",
    "horizon",
    "forecast",
    "lower",
    "upper",
    "level",
    "source",
    "verdict",
    "provenance",
]


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "neural", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def told(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = made_artefact()
    made = made._replace(provenance=made.provenance._replace(data="sp500-closes"))
    return str(save_artefact(made, tmp_path_factory.mktemp("models") / "made"))


@pytest.mark.parametrize("engine", ["compiled", "numpy", "onnx"])
@pytest.mark.parametrize(("symbol", "source"), [("KO", "nhits"), ("PEP", "drift")])
def test_a_forecast_has_the_keys_and_the_library_s_numbers(
    model: str, engine: str, symbol: str, source: str
) -> None:
    if engine == "onnx":
        pytest.importorskip("onnxruntime")
    words = ("--model", model, "--symbol", symbol, "--engine", engine, "--end", "2020-06-30")
    found = told("forecast", *words, "--data", "sp500-closes", "--level", "0.8")
    assert list(found) == KEYS
    bars = load("sp500-closes", symbols=[symbol], end="2020-06-30")
    wanted = Forecaster(made_artefact(), engine=engine, level=0.8).forecast(bars)
    assert wanted.lower is not None
    assert wanted.upper is not None
    for name in ("forecast", "lower", "upper"):
        assert found[name] == getattr(wanted, name).tolist()
    assert (found["symbol"], found["as_of"], found["horizon"]) == (symbol, "2020-06-30", 5)
    assert (found["level"], found["source"]) == (0.8, source)
    assert found["verdict"] == "It beats drift on KO. Survivors."
    assert found["provenance"]["train_end"] == "2009-12-31"


def test_without_data_it_reads_those_of_the_training(model: str) -> None:
    found = told("forecast", "--model", model, "--symbol", "KO")
    assert (found["as_of"], found["level"]) == ("2022-12-28", 0.9)
    text = run("forecast", "--model", model, "--symbol", "KO").stdout
    assert "KO as of 2022-12-28, by nhits" in text
    assert "lower 0.9" in text
    assert "Survivors." in text
    trusted = told("forecast", "--model", model, "--symbol", "PEP", "--trust-model")
    assert trusted["source"] == "nhits"


def test_an_end_that_is_not_known_is_null(tmp_path: Path) -> None:
    made = made_artefact()
    open_ended = Offsets(0.9, made.offsets["nhits"][1].lower, np.full(5, np.inf))
    made = made._replace(offsets={"nhits": (open_ended,), "drift": (open_ended,)})
    folder = str(save_artefact(made, tmp_path / "made"))
    found = told("forecast", "--model", folder, "--symbol", "KO", "--data", "sp500-closes")
    assert found["upper"] == [None] * 5
    assert all(low < middle for low, middle in zip(found["lower"], found["forecast"], strict=True))


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("--symbol", "XOM"), 3, "unknown symbol 'XOM'"),
        ((), 2, "knows KO, PEP"),
        (("--symbol", "KO", "--level", "0.5"), 2, "calibrated to 0.8, 0.9 alone"),
        (("--symbol", "KO", "--engine", "torch"), 2, "'torch' is not one of"),
        (("--symbol", "KO", "--end", "1990-02-01"), 3, "the last 60 of one series"),
        (("--symbol", "KO", "--data", "nowhere.csv"), 3, "nowhere.csv"),
        (("--symbol", "KO", "--data", "us-ohlcv"), 3, "unknown symbol 'KO'"),
    ],
)
def test_what_cannot_be_forecast(
    model: str, words: tuple[str, ...], code: int, reason: str
) -> None:
    done = run("forecast", "--model", model, *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert reason in done.stderr


def test_folders_that_hold_no_model(model: str, tmp_path: Path) -> None:
    done = run("forecast", "--model", str(tmp_path), "--symbol", "KO")
    assert done.returncode == 3
    assert "there is no" in done.stderr
    for name in ("artefact.json", "weights.npz"):
        (tmp_path / name).write_bytes((Path(model) / name).read_bytes())
    path = tmp_path / "artefact.json"
    text = path.read_text()
    path.write_text(text.replace('"format": 1', '"format": 9'))
    assert "format 9" in run("forecast", "--model", str(tmp_path), "--symbol", "KO").stderr
    path.write_text(text)
    (tmp_path / "weights.npz").write_bytes(b"PK")
    assert "SHA-256" in run("forecast", "--model", str(tmp_path), "--symbol", "KO").stderr


def test_prices_with_gaps_and_without_moves(model: str, tmp_path: Path) -> None:
    path = tmp_path / "still.csv"
    days = np.datetime_as_string(np.datetime64("2020-01-01") + np.arange(80))
    path.write_text("date,KO\n" + "".join(f"{day},7.0\n" for day in days))
    done = run("forecast", "--model", model, "--symbol", "KO", "--data", str(path))
    assert done.returncode == 3
    assert "does not move" in done.stderr


def test_an_export_is_written_whole_or_not_at_all(model: str, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    path = tmp_path / "model.onnx"
    found = told("export", "--model", model, "--onnx", str(path))
    assert found == {
        "onnx": str(path),
        "bytes": path.stat().st_size,
        "lookback": 60,
        "horizon": 5,
    }
    other = tmp_path / "other.onnx"
    assert told("export", "--model", model, "--onnx", "--output", str(other))["onnx"] == str(other)
    assert path.read_bytes() == other.read_bytes()
    closes = load("sp500-closes", symbols=["KO"])["KO"].close
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    windows = np.lib.stride_tricks.sliding_window_view(closes, 60)[-20:].copy()
    (forecast,) = session.run(["forecast"], {"values": windows})
    wanted = told("forecast", "--model", model, "--symbol", "KO", "--data", "sp500-closes")
    np.testing.assert_allclose(forecast[-1], wanted["forecast"], rtol=1e-6)
    for words in ((), ("--onnx",), ("--onnx", "a", "--output", "b"), ("--output", "b")):
        done = run("export", "--model", model, *words)
        assert done.returncode == 2, words
    assert sorted(tmp_path.iterdir()) == [path, other]


def test_an_import_says_what_it_needs(tmp_path: Path) -> None:
    made = tmp_path / "theirs"
    made.mkdir()
    done = run("import", "--from", str(made), "--output", str(tmp_path / "ours"))
    assert done.returncode == 2
    assert "pip install neuralforecast" in done.stderr
    assert run("import", "--from", str(tmp_path / "x"), "--output", "y").returncode == 2
    (tmp_path / "taken.txt").write_text("mine")
    done = run("import", "--from", str(made), "--output", str(tmp_path / "taken.txt"))
    assert done.returncode == 3
    assert (tmp_path / "taken.txt").read_text() == "mine"
    assert list(tmp_path.glob("ours*")) == []


def test_an_imported_network_needs_data(tmp_path: Path) -> None:
    made = made_artefact(made_network(levels=(0.5,)), card={}, series=())
    made = made._replace(offsets={}, provenance=made.provenance._replace(train_end=""))
    folder = str(save_artefact(made, tmp_path / "made"))
    done = run("forecast", "--model", folder, "--symbol", "KO")
    assert (done.returncode, done.stdout) == (2, "")
    assert "give --data" in done.stderr
    found = told("forecast", "--model", folder, "--symbol", "KO", "--data", "sp500-closes")
    assert (found["source"], found["lower"], found["level"]) == ("nhits", None, None)
    assert found["verdict"].startswith("Not evaluated")


def test_a_model_trades_and_is_swept_by_name(model: str, tmp_path: Path) -> None:
    words = ["--strategy", "forecast", "--symbols", "KO,PEP", "--data", "sp500-closes"]
    words += ["--set", f"model={model}", "--end", "2014-06-30", "--json"]

    def trade(command: str, *more: str) -> "subprocess.CompletedProcess[str]":
        program = [sys.executable, "-m", "neural_trader", command, *words, *more]
        return subprocess.run(program, capture_output=True, text=True, check=False, cwd=tmp_path)

    done = trade("backtest", "--start", "2013-06-03", "--set", "enter=0.05")
    assert done.returncode == 0, done.stderr
    alone = json.loads(done.stdout)
    assert "forecasts: KO by nhits; PEP by drift" in alone["notes"]
    assert "It beats drift on KO. Survivors." in alone["notes"]
    grid = ("--start", "2013-06-03", "--grid", "enter=0.0,0.05", "--workers", "2", "--no-ledger")
    done = trade("sweep", *grid)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"] == 2
    done = trade("backtest", "--start", "2012-06-01")
    assert done.returncode == 2
    assert "made with bars up to 2012-12-31" in done.stderr
