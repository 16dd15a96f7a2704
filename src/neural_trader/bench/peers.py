"""Other engines on the same work, each in an environment and a process of its own.

``benchmarks/rivals/`` of the source tree holds a file for each of them and makes the environments
(``make peers``); this module finds what is there and asks it.
"""

import json
from collections.abc import Sequence
from importlib.metadata import Distribution
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from neural_trader.bench.cases import CAPITAL, COSTS_BPS, Case
from neural_trader.bench.runner import Engine

TOLERANCE: Final = 1e-6
"""How far, relatively, another engine's equity may be off: some round money to the cent."""

_TREE: Final = Path(__file__).resolve().parents[3]
_DAY_NS: Final = 86_400_000_000_000
_PARAMETERS: Final = {
    "pairs": ("lookback", "entry", "exit", "gross"),
    "sma": ("fast", "slow", "gross"),
}


class Rival(NamedTuple):
    """An engine: its file's name, its name for people, its package, and what it can do."""

    name: str
    title: str
    package: str
    kinds: tuple[str, ...] = ("pairs", "sma")


RIVALS: Final = (
    Rival("vectorbt", "vectorbt", "vectorbt"),
    Rival("raptorbt", "raptorbt Strategy", "raptorbt"),
    Rival("backtrader", "backtrader", "backtrader"),
    Rival("bt", "bt", "bt"),
    Rival("backtesting", "backtesting.py", "backtesting", kinds=("sma",)),
    Rival("nautilus", "nautilus_trader", "nautilus_trader"),
)


def find_peers(cases: Sequence[Case], folder: Path, tree: Path = _TREE) -> list[Engine]:
    """Return the other engines, those that cannot be run with the reason why.

    Parameters
    ----------
    cases : sequence of Case
        What they will be asked to do.
    folder : Path
        Where the prices of the cases are written for them; it must outlive the engines.
    tree : Path
        The source tree, with ``benchmarks/rivals`` and the environments in ``.venv-peers``.

    Returns
    -------
    list of Engine
        In the order of ``RIVALS``. The version is the one that is installed.
    """
    found = [_find(rival, folder, tree) for rival in RIVALS]
    if any(engine.version for engine in found):
        for case in cases:
            _write_prices(case, folder)
    return found


def _find(rival: Rival, folder: Path, tree: Path) -> Engine:
    program = tree / "benchmarks" / "rivals" / "measure.py"
    environment = tree / ".venv-peers" / rival.name
    version = installed_version(environment, rival.package)

    def command(case: Case) -> list[str] | str:
        if not program.is_file():
            return "not installed: it comes with the source tree; clone it and run make peers"
        if not version:
            return "not installed: make peers"
        if case.kind not in rival.kinds:
            return f"{rival.title} trades one symbol at a time"
        # -E: a PYTHONPATH of ours would put our packages in front of theirs.
        python = environment / "bin" / "python"
        return [str(python), "-E", str(program), rival.name, _request(case, folder)]

    return Engine(rival.title, command, TOLERANCE, version)


def installed_version(environment: Path, package: str) -> str:
    """Return the version of a package in a finished environment, or nothing."""
    if not (environment / ".installed").is_file():
        return ""
    for packages in environment.glob("lib/python3*/site-packages"):
        for distribution in Distribution.discover(name=package, path=[str(packages)]):
            return distribution.version
    return ""


def _request(case: Case, folder: Path) -> str:
    """Return what a rival is asked: the JSON that ``benchmarks/rivals/work.py`` reads."""
    strategy = case.strategy(0)
    return json.dumps(
        {
            "prices": str(_prices_path(case, folder)),
            "symbols": case.symbols,
            "kind": case.kind,
            "capital": CAPITAL,
            "fee": COSTS_BPS / 1e4,
            "slippage": COSTS_BPS / 1e4,
        }
        | {name: getattr(strategy, name) for name in _PARAMETERS[case.kind]}
    )


def _prices_path(case: Case, folder: Path) -> Path:
    return folder / f"{case.name}.npz"


def _write_prices(case: Case, folder: Path) -> None:
    """Write days since 1970 and closes, one row a symbol."""
    bars = case.bars()
    closes = np.stack([bars[symbol].close for symbol in case.symbols])
    days = bars[case.symbols[0]].ts_close_ns // _DAY_NS
    np.savez(_prices_path(case, folder), days=days, closes=closes)
