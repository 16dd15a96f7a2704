"""The rules that other engines are given are our rules: the same fills on the same prices."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting.reference import run_reference
from neural_trader.bench import find_peers
from neural_trader.bench.cases import CAPITAL, CASES, COSTS_BPS, Case
from tests.unit.bench.test_peers import install

# The rivals are programs for other environments: they have no types and are not checked for them.
work = importlib.import_module("benchmarks.rivals.work")


def request_of(case: Case, folder: Path) -> str:
    program = folder / "tree" / "benchmarks" / "rivals" / "measure.py"
    program.parent.mkdir(parents=True)
    program.touch()
    install(folder / "tree", "bt", "bt")
    peers = find_peers([case], folder, folder / "tree")
    command = next(peer for peer in peers if peer.name == "bt").command(case)
    assert isinstance(command, list)
    return command[-1]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_rules_decide_as_the_reference_does(case: Case, tmp_path: Path) -> None:
    job = work.Work.read(request_of(case, tmp_path))
    rules, held, due, fills = job.rules(), [0] * len(job.symbols), None, []
    for bar, closes in enumerate(zip(*job.closes, strict=True)):
        if due is not None:
            pairs = enumerate(zip(due, held, strict=True))
            fills += [(bar, leg, new - old) for leg, (new, old) in pairs if new != old]
            held = due
        due = rules.decide(*closes)
    costs = nt.Costs(fee_bps=COSTS_BPS, slippage_bps=COSTS_BPS)
    run = run_reference(case.strategy(0), case.bars(), capital=CAPITAL, costs=costs)
    assert fills == [(fill.bar, fill.leg, fill.qty) for fill in run.fills]
    assert work.entries([(leg, qty) for _, leg, qty in fills]) == run.entries


def test_no_two_runs_have_the_same_parameters(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", days=np.arange(3), closes=np.ones((1, 3)))
    asked: dict[str, Any] = {"kind": "sma", "symbols": ["KO"], "gross": 2e4}
    asked |= {"prices": str(tmp_path / "p.npz")}
    asked |= {"capital": 1e5, "fee": 0.0, "slippage": 0.0, "fast": 2, "slow": 3}
    job = work.Work.read(json.dumps(asked))
    assert len({(job.fresh(run).entry, job.fresh(run).gross) for run in range(201)}) == 201


def test_prices_that_do_not_move_decide_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", days=np.arange(9), closes=np.ones((2, 9)))
    asked: dict[str, Any] = {"kind": "pairs", "symbols": ["A", "B"]}
    asked |= {"prices": str(tmp_path / "p.npz")}
    asked |= {"capital": 1e5, "fee": 0.0, "slippage": 0.0, "gross": 2e4}
    asked |= {"lookback": 3, "entry": 1.0, "exit": 0.5}
    rules = work.Work.read(json.dumps(asked)).rules()
    assert [rules.decide(1.0, 1.0) for _ in range(9)] == [None] * 9


def test_entries_are_counted_where_the_first_symbol_was_flat() -> None:
    fills = [(0, 5), (1, -3), (0, -5), (1, 3), (0, -2), (1, 1), (0, 4)]
    assert work.entries(fills) == 2
