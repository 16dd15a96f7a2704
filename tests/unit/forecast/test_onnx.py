"""The graph that is written: any batch size, our numbers, whole files, and no silent gaps."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.core import ConfigError, DataError
from neural_trader.forecast import Artefact, Forecaster, export_onnx, save_artefact
from tests.made_forecasts import made_artefact, made_network, made_prices

onnxruntime: Any = pytest.importorskip("onnxruntime")


def answers(path: Path, values: Any, names: list[str] | None = None) -> list[Any]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: list[Any] = session.run(names, {"values": values})
    return found


@pytest.mark.parametrize("rows", [1, 2, 20, 500])
@pytest.mark.parametrize(
    "network",
    [
        made_network(),
        made_network(lookback=61, pools=(7, 2), newest_first=True),
        made_network(pooling="average", levels=(0.5,), width=20, depth=1),
    ],
    ids=["max", "newest first", "average"],
)
def test_a_graph_gives_our_numbers_for_any_batch(network: Any, rows: int, tmp_path: Path) -> None:
    artefact = made_artefact(network)
    path = export_onnx(artefact, tmp_path / "model.onnx", level=0.8)
    windows = made_prices(rows, network.lookback)
    found = answers(path, windows, ["forecast", "lower", "upper"])
    wanted = Forecaster(artefact, level=0.8).forecast_many(windows, ["KO"] * rows)
    for mine, ours in zip(found, (wanted.forecast, wanted.lower, wanted.upper), strict=True):
        assert ours is not None
        assert mine.shape == (rows, 5)
        assert np.abs(np.log(mine) - np.log(ours)).max() <= 1e-6


def test_it_says_what_it_takes_and_gives(tmp_path: Path) -> None:
    path = export_onnx(made_artefact(), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [(one.name, one.shape, one.type) for one in session.get_inputs()] == [
        ("values", ["batch", 60], "tensor(double)")
    ]
    assert [(one.name, one.shape) for one in session.get_outputs()] == [
        (name, ["batch", 5]) for name in ("forecast", "lower", "upper")
    ]
    meta = session.get_modelmeta().custom_metadata_map
    assert meta["verdict"] == "It beats drift on KO. Survivors."
    assert meta["passed"] == "KO"
    assert meta["level"] == "0.9"
    assert meta["train_end"] == "2009-12-31"


def test_without_calibration_it_gives_the_forecast_alone(tmp_path: Path) -> None:
    made = made_artefact(card={}, series=())._replace(offsets={})
    path = export_onnx(made, tmp_path / "model.onnx")
    assert len(answers(path, made_prices(3))) == 1


def test_the_same_network_is_the_same_bytes(tmp_path: Path) -> None:
    one, two = (export_onnx(made_artefact(), tmp_path / name) for name in ("a.onnx", "b.onnx"))
    assert one.read_bytes() == two.read_bytes()


def test_what_cannot_be_written_says_why(tmp_path: Path) -> None:
    made: Artefact = made_artefact(kind="robust")
    with pytest.raises(ConfigError, match="no median"):
        export_onnx(made, tmp_path / "model.onnx")
    with pytest.raises(ConfigError, match="no median"):
        Forecaster(made, engine="onnx")
    with pytest.raises(ConfigError, match=r"level is 0\.5"):
        export_onnx(made_artefact(), tmp_path / "model.onnx", level=0.5)
    with pytest.raises(DataError, match="folder"):
        export_onnx(made_artefact(), tmp_path)
    with pytest.raises(DataError, match="cannot write"):
        export_onnx(made_artefact(), tmp_path / "nowhere" / "model.onnx")
    assert list(tmp_path.iterdir()) == []


PROGRAM = """
import sys
sys.modules[sys.argv[2]] = None
from neural_trader.core import ConfigError
from neural_trader.forecast import load
try:
    load(sys.argv[1], engine="onnx")
except ConfigError as error:
    print(error)
"""


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_names_its_extra(package: str, tmp_path: Path) -> None:
    folder = save_artefact(made_artefact(), tmp_path / "model")
    command = [sys.executable, "-c", PROGRAM, str(folder), package]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{package} is not installed; run: pip install")
    assert "neural-trader[onnx]" in done.stdout
