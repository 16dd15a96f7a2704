"""The bench of forecasts: no time without a right answer, and a reason for what is missing."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from rich.console import Console

from neural_trader.bench import (
    choose_neural_cases,
    neural_suite,
    print_neural_report,
    run_neural_suite,
)
from neural_trader.bench.neural_cases import (
    NEURAL_CASES,
    by_definition,
    check,
    made_artefact,
    made_windows,
)
from neural_trader.core import BenchError, ConfigError
from neural_trader.forecast import Dense, Forecaster, Normalization, save_artefact

FROZEN = Path(__file__).parents[1] / "forecast" / "neuralforecast"


def test_cases_are_named_or_all() -> None:
    assert choose_neural_cases([]) == ["one", "batch_500", "width_512", "process", "peers"]
    assert choose_neural_cases(["process", "one"]) == ["one", "process"]
    with pytest.raises(ConfigError, match="case is 'two'; expected one of one, batch_500"):
        choose_neural_cases(["two"])


@pytest.mark.parametrize("engine", ["compiled", "numpy"])
@pytest.mark.parametrize("width", [64, 512])
def test_every_engine_gives_the_definition(engine: str, width: int) -> None:
    made = made_artefact(width)
    check(Forecaster(made, engine=engine), made)


def test_a_wrong_answer_has_no_time() -> None:
    made = made_artefact(64)
    block = made.network.blocks[-1]
    bias = block.forecast.bias.copy()
    bias[3] += 1e-3
    blocks = (
        *made.network.blocks[:-1],
        block._replace(forecast=Dense(block.forecast.weight, bias)),
    )
    wrong = made._replace(network=made.network._replace(blocks=blocks))
    with pytest.raises(BenchError, match="off its definition"):
        check(Forecaster(wrong), made)
    scaled = made._replace(normalization=Normalization("log", 0.0201))
    with pytest.raises(BenchError, match="off its definition"):
        check(Forecaster(scaled), made)


def test_the_definition_by_hand() -> None:
    """A network of zeros forecasts the last value; its interval follows the volatility."""
    made = made_artefact(64)
    blocks = tuple(
        block._replace(
            forecast=Dense(np.zeros_like(block.forecast.weight), np.zeros_like(block.forecast.bias))
        )
        for block in made.network.blocks
    )
    made = made._replace(network=made.network._replace(blocks=blocks))
    window = made_windows(1)[0]
    table = by_definition(made, window)
    np.testing.assert_allclose(table[0], np.log(window[-1]))
    reach = (table[2] - table[0]) / made.offsets["nhits"][0].upper
    np.testing.assert_allclose(reach, reach[0])
    assert 0.005 < reach[0] < 0.03


def answered(command: list[str], what: str) -> dict[str, Any]:
    """Stand in for a fresh process."""
    if "launch.py" in " ".join(command):
        is_bare = "import numpy" in command
        return {"wall_ms": 60.0 if is_bare else 100.0, "peak_rss_mb": 25.0 if is_bare else 35.0}
    return {"median_us": 7.0}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neural_suite, "_answer", answered)
    monkeypatch.setattr(
        neural_suite, "_launched", lambda command: answered(["launch.py", *command], "")
    )
    monkeypatch.setattr(neural_suite, "_TREE", Path("/nowhere"))


def test_a_report_has_every_row_or_its_reason(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neural_suite, "find_spec", lambda _: None)
    steps: list[str] = []
    names = choose_neural_cases([])
    report = run_neural_suite(names, rounds=2, with_peers=False, step=steps.append)
    rows = {(row.case, row.params["engine"], row.params["quantity"]): row for row in report.rows}
    assert rows["one", "compiled", "time"].value == 7.0
    assert rows["one", "compiled", "time"].params["target"] == 8.0
    assert rows["one", "compiled", "time"].claim == 18_000.0
    assert rows["one", "compiled", "time"].checked
    assert rows["process", "compiled", "over NumPy"].value == 10.0
    assert rows["process", "compiled", "memory"].claim == 85.0
    for case in ("one", "batch_500", "width_512"):
        missing = rows[case, "onnx", "time"]
        assert (missing.value, missing.checked) == (None, False)
        assert missing.reason is not None
        assert missing.reason.startswith("not installed: pip install 'neural-trader[onnx]'")
    for engine in ("neuralforecast", "torch eager"):
        assert rows["peers", engine, "time"].reason == "not run: give --peers"
    assert steps.count("one: compiled") == 2
    assert json.loads(msgspec.json.encode(report))["provenance"]["config"]["rounds"] == 2
    out = io.StringIO()
    print_neural_report(report, Console(file=out, width=100))
    for words in ("7 us", "8 us", "18 ms", "85 MB", "not measured", "not run: give --peers"):
        assert words in out.getvalue()


def test_a_library_that_is_not_there_says_how_to_get_it(quick: None) -> None:
    report = run_neural_suite(["peers"], rounds=1, with_peers=True, step=lambda _: None)
    reasons = {row.params["engine"]: row.reason for row in report.rows}
    assert set(reasons) == {"neuralforecast", "torch eager"}
    assert all("clone it and run make peers" in str(reason) for reason in reasons.values())


def test_what_fails_is_an_error_with_its_last_words() -> None:
    with pytest.raises(BenchError, match="a case failed: ValueError: so it is"):
        neural_suite._answer([sys.executable, "-c", "raise ValueError('so it is')"], "a case")
    with pytest.raises(BenchError, match="a case failed: it said nothing"):
        neural_suite._answer([sys.executable, "-c", ""], "a case")
    with pytest.raises(BenchError, match="could not be measured"):
        neural_suite._answer(["/nowhere/python"], "a case")
    with pytest.raises(BenchError, match="exit code 3"):
        neural_suite._launched([sys.executable, "-c", "raise SystemExit(3)"])


def test_one_case_in_its_own_process(tmp_path: Path) -> None:
    folder = save_artefact(made_artefact(64), tmp_path / "model")
    command = [sys.executable, "-m", "neural_trader.bench.neural_cases", "one", "compiled"]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=True)
    assert 0.1 < json.loads(done.stdout)["median_us"] < 1e6
    assert {case.name for case in NEURAL_CASES} == {"one", "batch_500", "width_512"}


def test_an_imported_network_is_compared_with_its_maker(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "neural_trader.bench.neural_import"]
    frozen = FROZEN / "standard.npz"
    done = subprocess.run([*command, str(frozen)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["apart"] <= 1e-6
    with np.load(frozen) as archive:
        held = {name: archive[name] for name in archive.files}
    held["wanted"] = held["wanted"] + 1e-4
    np.savez(tmp_path / "wrong.npz", **held)
    done = subprocess.run(
        [*command, str(tmp_path / "wrong.npz")], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "off its maker's own forecasts" in done.stderr


def test_a_fresh_process_serves_within_its_memory(tmp_path: Path) -> None:
    """Memory hardly depends on the load of a machine: the promise is held here."""
    taken: dict[Any, list[float]] = {}
    folder = save_artefact(made_artefact(64), tmp_path / "model")
    neural_suite._measure_process(folder, taken)
    (over,) = [values for kind, values in taken.items() if kind.quantity == "over NumPy"]
    assert 0.0 < over[0] < 40.0
