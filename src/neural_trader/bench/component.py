"""One component in a process of its own, run by its path: ``python component.py NAME [FOLDER]``.

Run so, nothing of the bench is imported: the peak memory of the process is that of what the
component needs, code included, over that of ``numpy``, which only imports it. With a third argument
``held`` it works on little first, so that code and libraries are there, then on the whole, and
prints the megabytes by which it grew: what the component itself holds. A wrong answer ends it with
exit code 1.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

_STATUS: Final = Path("/proc/self/status")


class Held(NamedTuple):
    """What a component holds, and the bytes of its arrays: it is never less."""

    parts: tuple[Any, ...]
    nbytes: int


def numpy(*, is_little: bool) -> Held:  # noqa: ARG001 - a component's signature
    """Import NumPy and nothing else."""
    import numpy as np

    return Held((np,), 0)


def market_data(*, is_little: bool) -> Held:
    """Hold 33 years of the daily closes of 20 symbols, and read each of them."""
    import neural_trader as nt

    bars = nt.load("sp500-closes", symbols=["KO"] if is_little else None)
    count = sum(int((bars[symbol].close > 0.0).sum()) for symbol in bars.symbols)
    expect(count, (1 if is_little else 20) * 8_313)
    return Held((bars,), sum(bars[symbol].close.nbytes for symbol in bars.symbols))


def pair(*, is_little: bool) -> Held:  # noqa: ARG001 - a component's signature
    """Hold 33 years of two symbols: what the strategy stands on."""
    import neural_trader as nt

    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    expect(int((bars["KO"].close + bars["PEP"].close > 0.0).sum()), 8_313)
    return Held((bars,), 0)


def strategy(*, is_little: bool) -> Held:
    """Run a pairs strategy over them, and hold its result, its signals read."""
    import neural_trader as nt

    (bars,) = pair(is_little=False).parts
    costs = nt.Costs(fee_bps=5.0, slippage_bps=5.0)
    start = "2021-01-01" if is_little else None
    result = nt.backtest(nt.Pairs("KO", "PEP"), bars, costs=costs, start=start)
    nbytes = result.equity.nbytes + sum(column.nbytes for column in result.signals.values())
    if not is_little:
        answer = result.trades, result.fill_count, round(result.final_equity, 4)
        expect(answer, (105, 420, 94_125.7814))
    return Held((bars, result), nbytes)


def portfolio(*, is_little: bool) -> Held:
    """Measure series of 252 days, and hold a ledger of as many positions: 50, or 2."""
    import numpy as np

    from neural_trader.portfolio import Ledger, measure

    count = 2 if is_little else 50
    names = tuple(f"S{place}" for place in range(count))
    returns = np.random.default_rng(1).normal(0.0, 0.01, (252, count))
    found = measure(returns, series=names)
    expect(len(found.of(names[-1])) > 20, wanted=True)
    ledger = Ledger("1000000")
    for name in names:
        ledger.fill(name, 100, "50.00", fee="1.00")
        ledger.mark(name, "51.00")
    expect(float(ledger.totals.equity), 1_000_000.0 + count * 99.0)
    return Held((returns, found, ledger), returns.nbytes)


def model(*, is_little: bool) -> Held:  # noqa: ARG001 - a component's signature
    """Load a model and forecast once."""
    import numpy as np

    from neural_trader.forecast import load

    forecaster = load(sys.argv[2])
    found = forecaster.forecast(np.linspace(50.0, 60.0, 60), symbol="KO")
    expect(bool(np.isfinite(found.forecast).all()), wanted=True)
    return Held((forecaster,), (Path(sys.argv[2]) / "weights.npz").stat().st_size)


def expect(found: object, wanted: object) -> None:
    """End the process where an answer is wrong."""
    if found != wanted:
        sys.exit(f"{sys.argv[1]}: the answer is {found!r}, not {wanted!r}")


def resident_mb() -> float:
    """Return the resident memory of this process."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmRSS"))
    return float(line.split()[1]) * 1024 / 1e6


COMPONENTS: Final = {
    work.__name__: work for work in (numpy, market_data, pair, strategy, portfolio, model)
}


def main() -> None:
    """Hold the component named on the command line, and say how much it holds where asked to."""
    work = COMPONENTS[sys.argv[1]]
    if sys.argv[3:] != ["held"]:
        work(is_little=False)
        return
    if not _STATUS.exists():
        sys.stdout.write(json.dumps({"reason": "memory is read from /proc, which is not there"}))
        return
    little = work(is_little=True)
    before = resident_mb()
    whole = work(is_little=False)
    grown = resident_mb() - before
    sys.stdout.write(json.dumps({"held_mb": max(grown, whole.nbytes / 1e6)}))
    # Until here both are held: what the first one let go could have hidden the second.
    del little, whole


if __name__ == "__main__":
    main()
