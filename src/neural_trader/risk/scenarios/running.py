"""Scenarios run through a book: the loss of each, and the gains by symbol of those in the tail."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader._kernels import scenarios as kernel
from neural_trader.risk.scenarios.drawing import Pseudo, Source, chunk_of, layers
from neural_trader.risk.scenarios.factors import Factor
from neural_trader.risk.scenarios.options import Holdings
from neural_trader.risk.scenarios.vectors import revaluation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A normal beyond twelve deviations comes once in 10^32 draws.
_REACH: Final = 12.0


class Run(NamedTuple):
    """A simulation that is set up.

    Attributes
    ----------
    source : Source
    steps : int
    mean : float64 array, shape (N,)
    factor : Factor
    holdings : Holdings
    limit : float
        Of the stretch, from which on a price could fall below zero.
    threads : int
    """

    source: Source
    steps: int
    mean: Floats
    factor: Factor
    holdings: Holdings
    limit: float
    threads: int

    @property
    def is_linear(self) -> bool:
        """Whether gains are sums of normals: one step, no options, prices far above zero."""
        return self.steps == 1 and not len(self.holdings.under) and self.limit > 1.0

    @property
    def loads(self) -> Floats:
        """Gain by each normal of a step, shape (N,)."""
        gains: Floats = self.holdings.positions @ self.factor.matrix
        return gains

    @property
    def terms(self) -> Floats:
        """What the kernel of linear positions needs beside the loads."""
        drift = float(self.holdings.positions @ self.mean)
        degrees = self.source.degrees if isinstance(self.source, Pseudo) else np.inf
        return np.array([drift, degrees, self.limit])


def limit_of(mean: Floats, covariance: Floats) -> float:
    """Return how far normals may be stretched before a return of -1 comes into reach."""
    deviations = np.sqrt(covariance.diagonal())
    if not (mean > -1.0).all():
        return 0.0
    worst = float((deviations / (1.0 + mean)).max())
    return 1.0 / (_REACH * worst) if worst > 0.0 else np.inf


def run_losses(run: Run, count: int) -> Floats:
    """Return the loss of every scenario, in their order, on as many threads as the run has.

    Each scenario is its number's own: chunks and threads change no bit.
    """
    losses = np.empty(count)
    if not run.is_linear:
        _in_parts(run, count, lambda first, stop: _revalued(run, first, stop, losses))
        return losses
    loads, terms = run.loads, run.terms
    far: list[int] = []

    def part(first: int, stop: int) -> None:
        if isinstance(run.source, Pseudo):
            out = losses[first:stop]
            far.append(kernel.linear(run.source.stream, first, loads, terms, layers(), out))
        else:
            far.append(_projected(run, first, stop, losses))

    _in_parts(run, count, part)
    return value_far(run, losses) if sum(far) else losses


def value_far(run: Run, losses: Floats) -> Floats:
    """Fill in the losses that are NaN: a price may have reached zero there, where it stays."""
    ids = np.flatnonzero(np.isnan(losses))
    chunk = chunk_of(run.steps, len(run.mean))
    for begin in range(0, len(ids), chunk):
        part = ids[begin : begin + chunk]
        losses[part] = _valued(run, part)[0]
    return losses


def average_gains(run: Run, ids: Ints, weights: Floats) -> Floats:
    """Return weighted means of the gains by symbol, shape (K, N), made anew for some scenarios.

    Parameters
    ----------
    run : Run
    ids : int64 array, shape (S,)
    weights : float64 array, shape (K, S)
    """
    n = len(run.mean)
    chunk = chunk_of(run.steps, n)
    total = np.zeros((len(weights), n))
    is_linear = run.is_linear
    for begin in range(0, len(ids), chunk):
        part = np.ascontiguousarray(ids[begin : begin + chunk])
        share = weights[:, begin : begin + chunk]
        if is_linear:
            normals, stretches = _room(run, len(part))
            run.source.draw(part, normals, stretches)
            if stretches.max() < run.limit:
                vectors = (share * stretches[:, 0]) @ normals[:, 0]
                returns = vectors @ run.factor.matrix.T + share.sum(axis=1)[:, None] * run.mean
                total += returns * run.holdings.positions
                continue
        total += share @ _valued(run, part)[1]
    return total


def _in_parts(run: Run, count: int, work: Callable[[int, int], object]) -> None:
    """Do work on ranges of scenarios, one a thread."""
    if run.threads == 1 or count < 2 * run.threads:
        work(0, count)
        return
    from concurrent.futures import ThreadPoolExecutor

    ends = [count * part // run.threads for part in range(run.threads + 1)]
    with ThreadPoolExecutor(run.threads) as pool:
        for done in [pool.submit(work, *pair) for pair in pairwise(ends)]:
            done.result()


def _room(run: Run, count: int) -> tuple[Floats, Floats]:
    return np.empty((count, run.steps, len(run.mean))), np.empty((count, run.steps))


def _scratch(n: int) -> tuple[Floats, Floats, Floats, Floats]:
    z, growth, logs, gain = (np.empty((n, revaluation.LANES)) for _ in range(4))
    return z, growth, logs, gain


def _projected(run: Run, first: int, stop: int, losses: Floats) -> int:
    """Write the losses of linear positions from draws that pass through a buffer."""
    loads, terms = run.loads, run.terms
    chunk = chunk_of(run.steps, len(run.mean))
    normals, stretches = _room(run, chunk)
    far = 0
    for begin in range(first, stop, chunk):
        end = min(begin + chunk, stop)
        z, s = normals[: end - begin], stretches[: end - begin]
        run.source.draw(np.arange(begin, end), z, s)
        far += kernel.project(z, s, loads, terms, losses[begin:end])
    return far


def _revalued(run: Run, first: int, stop: int, losses: Floats) -> None:
    """Write the losses of a range of scenarios, every position valued in each."""
    n = len(run.mean)
    chunk = chunk_of(run.steps, n)
    normals, stretches = _room(run, chunk)
    scratch, none = _scratch(n), np.empty((0, n))
    market = run.mean, run.factor.matrix, run.factor.widths
    for begin in range(first, stop, chunk):
        end = min(begin + chunk, stop)
        z, s = normals[: end - begin], stretches[: end - begin]
        run.source.draw(np.arange(begin, end), z, s)
        revaluation.revalue(z, s, market, run.holdings.arrays, scratch, losses[begin:end], none)


def _valued(run: Run, ids: Ints) -> tuple[Floats, Floats]:
    """Return the losses of scenarios, and their gains by symbol."""
    n = len(run.mean)
    normals, stretches = _room(run, len(ids))
    run.source.draw(ids, normals, stretches)
    losses, gains = np.empty(len(ids)), np.empty((len(ids), n))
    market = run.mean, run.factor.matrix, run.factor.widths
    revaluation.revalue(normals, stretches, market, run.holdings.arrays, _scratch(n), losses, gains)
    return losses, gains
