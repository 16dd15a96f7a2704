"""The portfolio's bench: every case in fresh processes, NumPy and other packages beside it."""

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

import neural_trader as nt
from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.portfolio_cases import DATA, PEER_CASE, PORTFOLIO_CASES, PortfolioCase
from neural_trader.bench.portfolio_peers import PortfolioPeer
from neural_trader.bench.rows import Report, Row
from neural_trader.bench.runner import OURS, changed, make_row, with_baseline
from neural_trader.core import BenchError, ConfigError
from neural_trader.core.version import VERSION

PORTFOLIO_NAMES: Final = tuple(case.name for case in PORTFOLIO_CASES)
_TIMEOUT_S: Final = 300
_PEER_TOLERANCE: Final = 1e-6
# One core is what the targets are for; whoever links against more threads gets one as well.
_ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
Taken = dict[str, Any]


def choose_portfolio_cases(names: Sequence[str]) -> list[PortfolioCase]:
    """Return the cases that are named, or all, or raise ConfigError."""
    for name in names:
        if name not in PORTFOLIO_NAMES:
            message = f"case is {name!r}; expected one of {', '.join(PORTFOLIO_NAMES)}"
            raise ConfigError(message)
    return [case for case in PORTFOLIO_CASES if not names or case.name in names]


def portfolio_steps_of(cases: Sequence[PortfolioCase], peers: Sequence[PortfolioPeer]) -> int:
    """Return how many steps a round has, for a progress bar."""
    asked = any(case.name == PEER_CASE for case in cases)
    return sum(len(case.engines) for case in cases) + asked * len(peers)


def run_portfolio_suite(
    cases: Sequence[PortfolioCase],
    *,
    rounds: int,
    peers: Sequence[PortfolioPeer] = (),
    step: Callable[[str], None],
) -> Report:
    """Measure cases and return the report.

    Parameters
    ----------
    cases : sequence of PortfolioCase
    rounds : int
        How often everything is measured, each engine in a fresh process.
    peers : sequence of PortfolioPeer
        Other packages, asked for ``PEER_CASE`` in the same rounds.
    step : callable
        Told the name of each step as it begins.

    Raises
    ------
    BenchError
        An answer of ours is not the reference's or NumPy's, or a case cannot be run here.
    """
    machine = describe_machine()
    taken: dict[tuple[str, str], list[Taken]] = {}
    others: dict[str, list[Taken] | str] = {}
    for _ in range(rounds):
        for case in cases:
            answers = {}
            for engine in case.engines:
                step(f"{case.name}: {engine}")
                found = _measure(engine, case.name)
                taken.setdefault((case.name, engine), []).append(found)
                answers[engine] = found["answer"]
            _compare(case, answers)
            if case.name == PEER_CASE:
                _ask(peers, answers["ours"], others, step)
    rows = [row for case in cases for row in _rows(case, taken)]
    rows += [_peer_row(peer, others[peer.name]) for peer in peers if peer.name in others]
    provenance = {
        "version": VERSION,
        "commit": describe_commit(Path(__file__).resolve().parents[3]),
        "config": {"rounds": rounds},
        "data_name": DATA,
        "data_hash": nt.load(DATA).data_hash,
        "numpy": np.__version__,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Report(machine=machine, provenance=provenance, rows=rows)


def _run(command: Sequence[str]) -> Taken | str:
    """Return what a fresh process printed, or why it printed nothing."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
            env=os.environ | _ONE_THREAD,
        )
    except subprocess.TimeoutExpired:
        return f"took more than {_TIMEOUT_S} s"
    except OSError as error:
        return f"could not be started: {error.strerror}"
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        return f"failed with exit code {done.returncode}: {said[-1][:200]}"
    found: Taken = json.loads(lines[-1])
    return found


def _measure(engine: str, name: str) -> Taken:
    command = [sys.executable, "-m", "neural_trader.bench.portfolio_child", engine, name]
    found = _run(command)
    if isinstance(found, str):
        message = f"{name}, {engine}: {found}"
        raise BenchError(message)
    return found


def find_wrong(answer: Taken, truth: Taken, tolerance: float) -> str | None:
    """Return in words how an answer differs from the true one, or None where it does not.

    Parameters
    ----------
    answer, truth : dict of str to list of float
        What ``answer`` has is compared; NaN is equal to NaN.
    tolerance : float
        Relative, and a thousandth of it absolute.
    """
    for name, values in answer.items():
        wanted = truth.get(name, [])
        if len(values) != len(wanted):
            return f"{name} has {len(values)} values, not {len(wanted)}"
        for place, (mine, true) in enumerate(zip(values, wanted, strict=True)):
            slack = tolerance * max(abs(true), 1e-3)
            if not (abs(mine - true) <= slack or (math.isnan(mine) and math.isnan(true))):
                return f"{name} of series {place} is {mine!r}, not {true!r}"
    return None


def _compare(case: PortfolioCase, answers: dict[str, Taken]) -> None:
    """Hold NumPy's answer to ours, which was held to the reference before."""
    for engine, answer in answers.items():
        wrong = find_wrong(answer, answers["ours"], case.tolerance)
        if wrong is not None:
            message = f"{case.name}: the answer of {engine} is not ours: {wrong}"
            raise BenchError(message)


def _ask(
    peers: Sequence[PortfolioPeer],
    truth: Taken,
    others: dict[str, list[Taken] | str],
    step: Callable[[str], None],
) -> None:
    """Ask every other package; one that answers otherwise gets no time."""
    for peer in peers:
        step(f"{PEER_CASE}: {peer.title}")
        before = others.get(peer.name, [])
        if isinstance(before, str):
            continue
        if peer.reason is not None:
            others[peer.name] = peer.reason
            continue
        found = _run(peer.command)
        if not isinstance(found, str):
            wrong = find_wrong(found["answer"], truth, _PEER_TOLERANCE)
            found = found if wrong is None else f"another answer: {wrong}"
        others[peer.name] = found if isinstance(found, str) else [*before, found]


def _rows(case: PortfolioCase, taken: dict[tuple[str, str], list[Taken]]) -> list[Row]:
    ours = _by_quantity(taken[case.name, "ours"])
    base = _by_quantity(taken[case.name, "numpy"])
    rows = []
    for quantity, found in ours.items():
        values = [figure["value"] for figure in found if figure["value"] is not None]
        beside = [f["value"] for f in base.get(quantity, []) if f["value"] is not None]
        params = {
            "quantity": quantity,
            "engine": OURS,
            "work": case.words,
            "target": case.targets.get(quantity),
        }
        row = make_row(case.name, params, found[0]["unit"], values)
        row = with_baseline(row, values, beside)
        claim = case.claims.get(quantity)
        rows.append(changed(row, claim=claim, checked=True, reason=found[0]["reason"]))
    return rows


def _by_quantity(rounds: list[Taken]) -> dict[str, list[Taken]]:
    found: dict[str, list[Taken]] = {}
    for taken in rounds:
        for figure in taken["figures"]:
            found.setdefault(figure["quantity"], []).append(figure)
    return found


def _peer_row(peer: PortfolioPeer, found: list[Taken] | str) -> Row:
    params: dict[str, Any] = {"quantity": "time", "engine": peer.title, "version": peer.version}
    if isinstance(found, str):
        return Row(case=PEER_CASE, params=params, value=None, unit="ms", reason=found)
    params |= {"metrics": found[0]["metrics"], "same": sorted(found[0]["answer"])}
    values = [taken["median_ms"] for taken in found]
    row = make_row(PEER_CASE, params, "ms", values)
    return changed(row, checked=True, value=statistics.median(values))
