from typing import Any

import msgspec
import pytest

from neural_trader.core import ConfigError
from neural_trader.forecast import EvaluationConfig, NHiTSConfig


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"horizon": 0}, "horizon is 0; expected 1 to 1,000"),
        ({"horizon": -5}, "horizon is -5"),
        ({"lookback": 3}, "lookback is 3"),
        ({"lookback": 100_000}, "lookback is 100000"),
        ({"width": 0}, "width is 0"),
        ({"steps": -1}, "steps is -1"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"validation_share": 0.9}, "validation_share is 0.9"),
        ({"seed": -1}, "seed is -1"),
        ({"pools": ()}, "one of each for every block"),
        ({"pools": (2, 1), "knots_every": (1,)}, "pools has 2 blocks and knots_every 1"),
        ({"pools": (65, 4, 1)}, "pools holds 65; expected 1 to 64"),
        ({"knots_every": (0, 4, 1)}, "knots_every holds 0"),
        ({"levels": (0.1, 0.9)}, "odd in number"),
        ({"levels": (0.9, 0.5, 0.1)}, "rising quantiles"),
        ({"levels": (0.1, 0.4, 0.9)}, "with 0.5 in the middle"),
        ({"levels": (0.0, 0.5, 1.0)}, "between 0 and 1"),
        ({"loss": "squared"}, "'squared' with 3 levels"),
    ],
)
def test_a_network_that_cannot_be_meant_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        NHiTSConfig(**({"horizon": 5} | wrong))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"folds": 0}, "folds is 0"),
        ({"test_share": 1.0}, "test_share is 1.0"),
        ({"cost_bps": -1.0}, "cost_bps is -1.0"),
        ({"coverages": ()}, "coverages is"),
        ({"coverages": (0.9, 0.8)}, "rising parts"),
    ],
)
def test_a_judgment_that_cannot_be_meant_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        EvaluationConfig(**wrong)


def test_what_was_written_is_read_and_unknown_keys_are_errors() -> None:
    config = NHiTSConfig(horizon=7, levels=(0.5,), loss="squared")
    plain = msgspec.to_builtins(config)
    assert msgspec.convert(plain, NHiTSConfig) == config
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert(plain | {"widht": 3}, NHiTSConfig)
