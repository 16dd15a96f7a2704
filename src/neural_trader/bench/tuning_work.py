"""Research that is tuned, in a fresh process: ``python -m neural_trader.bench.tuning_work WORK N``.

Prints one JSON object: ``figures`` by quantity, in ms or MB, and ``answer``, which must not depend
on the setting. N is the number of workers, where the work has any.
"""

import functools
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

import neural_trader as nt
from neural_trader.bench.child import peak_rss_mb
from neural_trader.bench.neural_cases import SYMBOL, check, made_artefact, made_windows
from neural_trader.bench.portfolio_cases import make_returns

_COSTS: Final = nt.Costs(fee_bps=5, slippage_bps=5)
_GRID: Final[dict[str, list[Any]]] = {
    "lookback": list(range(20, 111, 10)),
    "entry": [1.25 + 0.25 * k for k in range(10)],
    "exit": [round(0.1 * k, 1) for k in range(1, 11)],
}
Answer = dict[str, Any]


def _pairs(**parameters: Any) -> nt.Pairs:  # noqa: ANN401 - a grid's values
    return nt.Pairs("KO", "PEP", gross=20_000.0, **parameters)


def _median_ms(work: Callable[[], object], runs: int) -> float:
    work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


def _sweep(workers: int) -> tuple[dict[str, float], Answer]:
    """Sweep a thousand pairs over 33 years, and say what the process held at most."""
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    sweep = functools.partial(nt.sweep, _pairs, bars, _GRID, costs=_COSTS, workers=workers)
    summary = sweep().summary
    names = ("trades", "fills", "mean_final_equity")
    figures = {"sweep": _median_ms(sweep, 5), "sweep peak": peak_rss_mb()}
    return figures, {name: summary[name] for name in names}


def _backtest(_workers: int) -> tuple[dict[str, float], Answer]:
    """Backtest a pair over 33 years, a few times, and say what the process held at most."""
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    work = functools.partial(
        nt.backtest, _pairs(lookback=60, entry=2.0, exit=0.5), bars, costs=_COSTS
    )
    took = _median_ms(work, 15)
    result = work()
    answer = {"trades": result.trades, "final_equity": float(result.equity[-1])}
    return {"backtest": took, "backtest peak": peak_rss_mb()}, answer


def _algebra(_workers: int) -> tuple[dict[str, float], Answer]:
    """Weights of least variance of 50 and of 500 assets from their returns, and 500 forecasts."""
    from neural_trader.forecast import Forecaster
    from neural_trader.portfolio.optimizers import estimate_moments, optimize

    figures: dict[str, float] = {}
    answer: Answer = {}
    for assets, runs in ((50, 25), (500, 3)):
        returns = make_returns(assets, 1_260)
        names = tuple(f"S{k}" for k in range(assets))

        def weigh(returns: Any = returns, names: Any = names) -> Any:  # noqa: ANN401 - a weighting
            return optimize(estimate_moments(returns, series=names), "min-variance").weights

        figures[f"weights of {assets}"] = _median_ms(weigh, runs)
        answer[f"weights of {assets}"] = weigh().tolist()
    artefact = made_artefact(64)
    forecaster = Forecaster(artefact, engine="numpy")
    check(forecaster, artefact)
    windows, symbols = made_windows(500), [SYMBOL] * 500
    figures["500 forecasts"] = _median_ms(lambda: forecaster.forecast_many(windows, symbols), 50)
    found = np.asarray(forecaster.forecast_many(windows, symbols).forecast)
    answer["500 forecasts"] = found[::100, 0].tolist()
    return figures, answer


WORKS: Final[dict[str, Callable[[int], tuple[dict[str, float], Answer]]]] = {
    "sweep": _sweep,
    "backtest": _backtest,
    "algebra": _algebra,
}


def main() -> None:
    """Do the work named on the command line."""
    figures, answer = WORKS[sys.argv[1]](int(sys.argv[2]))
    json.dump({"figures": figures, "answer": answer}, sys.stdout)


if __name__ == "__main__":
    main()
