"""The best of many trials: luck, and what is left of a ratio."""

import numpy as np
import pytest

from neural_trader.core.errors import ConfigError
from neural_trader.portfolio import deflated_sharpe, expected_best_sharpe, measure


def test_the_best_of_one_was_not_chosen() -> None:
    figures = measure(np.random.default_rng(9).normal(0.001, 0.01, 300)).of("0")
    shape = figures["skew"], figures["excess_kurtosis"]
    ratio = figures["sharpe"] / 252**0.5
    assert expected_best_sharpe(1, 0.1) == 0.0
    assert deflated_sharpe(ratio, 300, *shape, trials=1, deviation=0.1) == figures["psr"]


def test_luck_alone_reaches_what_is_expected_of_it() -> None:
    draws = np.random.default_rng(10).normal(0.0, 0.2, (4_000, 50)).max(axis=1)
    assert expected_best_sharpe(50, 0.2) == pytest.approx(draws.mean(), abs=0.01)


def test_more_trials_leave_less() -> None:
    left = [
        deflated_sharpe(0.1, 1_000, 0.0, 0.0, trials=n, deviation=0.05) for n in (1, 2, 10, 1_000)
    ]
    assert left == sorted(left, reverse=True)
    assert 0.0 < left[-1] < left[0] < 1.0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"trials": 0, "deviation": 0.1}, "trials is 0"),
        ({"trials": 5, "deviation": -0.1}, "deviation is -0.1"),
        ({"trials": 5, "deviation": float("nan")}, "deviation is nan"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        deflated_sharpe(0.1, 100, 0.0, 0.0, **given)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="observations is 1"):
        deflated_sharpe(0.1, 1, 0.0, 0.0, trials=2, deviation=0.1)
