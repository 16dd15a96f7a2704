"""Other engines are found where they are, and what is missing says why."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from neural_trader.bench import find_peers
from neural_trader.bench.cases import CASES, find_case
from neural_trader.bench.peers import RIVALS, installed_version
from neural_trader.bench.runner import Engine
from tests.tidy.tree import ROOT

PAIRS, SMA = find_case("pairs_1y"), find_case("sma_1y")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a source tree with the rivals' files and no environment."""
    shutil.copytree(ROOT / "benchmarks" / "rivals", tmp_path / "tree" / "benchmarks" / "rivals")
    return tmp_path / "tree"


def install(tree: Path, name: str, package: str, *, is_finished: bool = True) -> None:
    """Make something that looks like a rival's environment."""
    environment = tree / ".venv-peers" / name
    packages = environment / "lib" / "python3.11" / "site-packages"
    info = packages / f"{package}-9.8.7.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 9.8.7\n")
    (environment / "bin").mkdir()
    (environment / "bin" / "python").symlink_to(sys.executable)
    if is_finished:
        (environment / ".installed").touch()


def found(tree: Path, folder: Path) -> dict[str, Engine]:
    return {engine.name: engine for engine in find_peers(CASES, folder, tree)}


def test_nothing_is_installed(tree: Path, tmp_path: Path) -> None:
    peers = found(tree, tmp_path)
    assert list(peers) == [rival.title for rival in RIVALS]
    assert {peer.command(PAIRS) for peer in peers.values()} == {"not installed: make peers"}
    assert {peer.version for peer in peers.values()} == {""}
    assert list(tmp_path.glob("*.npz")) == []


def test_a_wheel_has_no_rivals(tmp_path: Path) -> None:
    peers = found(tmp_path / "site-packages", tmp_path)
    assert all("source tree" in peer.command(SMA) for peer in peers.values())


def test_an_unfinished_environment_is_none(tree: Path, tmp_path: Path) -> None:
    install(tree, "bt", "bt", is_finished=False)
    assert found(tree, tmp_path)["bt"].command(PAIRS) == "not installed: make peers"


def test_an_engine_is_asked_for_the_work_of_the_case(tree: Path, tmp_path: Path) -> None:
    install(tree, "bt", "bt")
    peer = found(tree, tmp_path)["bt"]
    assert peer.version == "9.8.7"
    command = peer.command(PAIRS)
    assert isinstance(command, list)
    *_, program, name, request = command
    assert Path(program).is_file()
    assert name == "bt"
    asked = json.loads(request)
    prices = Path(asked.pop("prices"))
    assert asked == {
        "symbols": ["KO", "PEP"], "kind": "pairs", "capital": 100_000.0, "fee": 0.0005,
        "slippage": 0.0005, "lookback": 60, "entry": 2.0, "exit": 0.5, "gross": 20_000.0,
    }  # fmt: skip
    with np.load(prices) as file:
        assert file["closes"].shape == (2, 252)
        first, last = file["days"][[0, -1]].astype("datetime64[D]").astype(str)
    assert (first, last) == ("2021-01-04", "2021-12-31")


def test_an_engine_is_not_asked_for_what_it_cannot_do(tree: Path, tmp_path: Path) -> None:
    install(tree, "backtesting", "backtesting")
    peer = found(tree, tmp_path)["backtesting.py"]
    assert peer.command(PAIRS) == "backtesting.py trades one symbol at a time"
    assert isinstance(peer.command(SMA), list)


def test_the_version_is_that_of_the_package_asked_for(tree: Path) -> None:
    install(tree, "bt", "bt")
    assert installed_version(tree / ".venv-peers" / "bt", "ffn") == ""


def test_every_rival_has_its_file_and_its_pinned_packages() -> None:
    folder = ROOT / "benchmarks" / "rivals"
    names = {rival.name for rival in RIVALS}
    assert {path.stem.removeprefix("rival_") for path in folder.glob("rival_*.py")} == names
    # neuralforecast forecasts and does not trade: `bench neural` compares with it.
    assert {path.stem for path in (folder / "requirements").glob("*.txt")} == names | {
        "neuralforecast"
    }
    for rival in RIVALS:
        pins = (folder / "requirements" / f"{rival.name}.txt").read_text().splitlines()
        pins = [line for line in pins if not line.startswith("#")]
        assert all("==" in line for line in pins)
        assert any(line.split("==")[0].split("[")[0] == rival.package for line in pins)
