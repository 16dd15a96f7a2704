"""Measure what a report measured: its cases, by the suite that has them all."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from neural_trader.bench.engine_suite import ENGINE_NAMES, choose_engine_cases, run_engine_suite
from neural_trader.bench.neural_suite import NEURAL_NAMES, choose_neural_cases, run_neural_suite
from neural_trader.bench.orders_suite import ORDERS_NAMES, choose_orders_cases, run_orders_suite
from neural_trader.bench.portfolio_suite import (
    PORTFOLIO_NAMES,
    choose_portfolio_cases,
    run_portfolio_suite,
)
from neural_trader.bench.risk_suite import RISK_NAMES, choose_risk_cases, run_risk_suite
from neural_trader.bench.rows import Report
from neural_trader.bench.suite import BACKTEST_NAMES, choose_cases, run_suite
from neural_trader.core import BenchError, ConfigError

Step = Callable[[str], None]


class Suite(NamedTuple):
    """A suite of the bench: its command, the names of its cases, and what measures some of them."""

    name: str
    cases: tuple[str, ...]
    run: Callable[[Sequence[str], Report, int, Step], Report]


def measure_like(baseline: Report, *, rounds: int, step: Step) -> Report:
    """Measure the cases of a report again, on this machine.

    Parameters
    ----------
    baseline : Report
        Of one suite: what ``bench backtest``, ``engine``, ``portfolio``, ``risk``, ``neural`` or
        ``orders`` wrote.
    rounds : int
        How often everything is measured.
    step : callable
        Told the name of each step as it begins.

    Raises
    ------
    ConfigError
        No suite has all the cases of the report, or its settings do not say which of two has.
    BenchError
        An answer is wrong.
    """
    names = list(dict.fromkeys(row.case for row in baseline.rows))
    found = [suite for suite in _SUITES if names and set(names) <= set(suite.cases)]
    config = baseline.provenance.get("config") or {}
    if len(found) > 1:
        # Two suites have a case of that name; only that of the order path has a durability.
        found = [one for one in found if (one.name == "orders") == ("durabilities" in config)]
    if len(found) != 1:
        message = (
            f"the baseline has the cases {', '.join(names) or '(none)'}; expected those of one of "
            f"bench {', '.join(suite.name for suite in _SUITES)}: measure it there, with --output, "
            "and give that file as --report"
        )
        raise ConfigError(message)
    return found[0].run(names, baseline, rounds, step)


def _backtest(names: Sequence[str], _: Report, rounds: int, step: Step) -> Report:
    cases, cli = choose_cases(names)
    report, is_interrupted = run_suite(cases, rounds=rounds, cli=cli, step=step)
    if is_interrupted:
        raise KeyboardInterrupt
    return report


def _engine(names: Sequence[str], _: Report, rounds: int, step: Step) -> Report:
    return run_engine_suite(choose_engine_cases(names), rounds=rounds, step=step)


def _portfolio(names: Sequence[str], _: Report, rounds: int, step: Step) -> Report:
    return run_portfolio_suite(choose_portfolio_cases(names), rounds=rounds, peers=[], step=step)


def _risk(names: Sequence[str], _: Report, rounds: int, step: Step) -> Report:
    return run_risk_suite(choose_risk_cases(names), rounds=rounds, peers=False, step=step)


def _neural(names: Sequence[str], _: Report, rounds: int, step: Step) -> Report:
    return run_neural_suite(choose_neural_cases(names), rounds=rounds, with_peers=False, step=step)


def _orders(names: Sequence[str], baseline: Report, rounds: int, step: Step) -> Report:
    durabilities = baseline.provenance["config"].get("durabilities")
    if not durabilities:
        message = "the baseline does not say in which durabilities its orders were measured"
        raise BenchError(message)
    return run_orders_suite(
        choose_orders_cases(names), durabilities=durabilities, rounds=rounds, folder=None, step=step
    )


_SUITES: Final = (
    Suite("backtest", BACKTEST_NAMES, _backtest),
    Suite("engine", tuple(ENGINE_NAMES), _engine),
    Suite("portfolio", tuple(PORTFOLIO_NAMES), _portfolio),
    Suite("risk", tuple(RISK_NAMES), _risk),
    Suite("neural", tuple(NEURAL_NAMES), _neural),
    Suite("orders", tuple(ORDERS_NAMES), _orders),
)
