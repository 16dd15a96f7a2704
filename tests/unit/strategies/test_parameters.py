"""What a strategy accepts as its parameters, and how it names what it refuses."""

import json
import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting.run import Config
from neural_trader.strategies import Gross, read_gross

Parameters = dict[str, Any]
NOT_WHOLE = [2, 0, -3, 2.0, 60.0, "60", None, True, math.nan, np.float64(60), Fraction(121, 2)]
NOT_FINITE = [math.nan, math.inf, -math.inf, "2", None, True, 1j, 10**400, Decimal(2), np.ones(1)]
NOT_GROSS = [0, -1, "0", "-5%", "0%", "", "%", "much", "1e400", "nan", "inf%", "20,000"]
NOT_GROSS += [None, True, math.nan, math.inf, 10**400, [20_000], 1j]
NOT_SYMBOLS = ["", "  ", None, 5, b"KO", ("KO",)]

PAIRS_WRONG: list[tuple[str, Any]] = [
    *(("lookback", value) for value in NOT_WHOLE),
    *(("entry", value) for value in [*NOT_FINITE, 0.0, -1.0, -0.0]),
    *(("exit", value) for value in NOT_FINITE),
    *(("gross", value) for value in NOT_GROSS),
    *((leg, value) for leg in ("y", "x") for value in NOT_SYMBOLS),
]
SMA_WRONG: list[tuple[str, Any]] = [
    *((name, value) for name in ("fast", "slow") for value in NOT_WHOLE if value != 2),
    ("slow", 1),
    *(("gross", value) for value in NOT_GROSS),
    *(("symbol", value) for value in NOT_SYMBOLS),
]


def pairs(**changes: Any) -> nt.Pairs:
    parameters: Parameters = {"y": "KO", "x": "PEP"} | changes
    return nt.Pairs(parameters.pop("y"), parameters.pop("x"), **parameters)


def sma(**changes: Any) -> nt.SmaCross:
    parameters: Parameters = {"symbol": "KO"} | changes
    return nt.SmaCross(parameters.pop("symbol"), **parameters)


@pytest.mark.parametrize(("name", "value"), PAIRS_WRONG, ids=str)
def test_pairs_name_the_parameter_and_the_value(name: str, value: Any) -> None:
    with pytest.raises(nt.ConfigError, match=f"^{name} is {re.escape(repr(value))}; expected"):
        pairs(**{name: value})


@pytest.mark.parametrize(("name", "value"), SMA_WRONG, ids=str)
def test_sma_cross_names_the_parameter_and_the_value(name: str, value: Any) -> None:
    with pytest.raises(nt.ConfigError, match=f"^{name} is {re.escape(repr(value))}; expected"):
        sma(**{name: value})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": "KO"}, "both legs are KO; a pair needs two different symbols"),
        ({"exit": 2.0}, r"exit is 2\.0 and entry is 2\.0; expected exit < entry"),
        ({"entry": 0.25}, r"exit is 0\.5 and entry is 0\.25; expected exit < entry"),
    ],
)
def test_pairs_that_cannot_trade(changes: Parameters, message: str) -> None:
    with pytest.raises(nt.ConfigError, match=message):
        pairs(**changes)


@pytest.mark.parametrize(("fast", "slow"), [(50, 50), (51, 50)])
def test_the_fast_average_is_the_faster(fast: int, slow: int) -> None:
    with pytest.raises(nt.ConfigError, match=f"fast is {fast} and slow is {slow}; expected fast <"):
        sma(fast=fast, slow=slow)


def test_the_least_that_is_accepted() -> None:
    assert pairs(lookback=3, entry=1e-9, exit=-5.0, gross=1e-9).warmup_bars == 4
    assert sma(fast=1, slow=2).warmup_bars == 1


@pytest.mark.parametrize("name", ["window", "Lookback", "z"])
def test_a_misspelt_parameter_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        pairs(**{name: 3})


def test_numbers_of_other_kinds_are_kept_in_their_plain_form() -> None:
    mixed = pairs(
        lookback=np.int32(20), entry=np.float32(1.5), exit=Fraction(1, 2), gross=np.int64(5_000)
    )
    plain = pairs(lookback=20, entry=1.5, exit=0.5, gross=5_000.0)
    assert mixed == plain
    assert hash(mixed) == hash(plain)
    kinds = [type(getattr(mixed, name)) for name in ("lookback", "entry", "exit", "gross")]
    assert kinds == [int, float, float, float]
    assert type(sma(fast=np.int64(3)).fast) is int
    texts = [
        json.dumps(
            Config(s, 1.0, nt.Costs(), None, None, "before", "close", 2.0).to_dict()["strategy"]
        )
        for s in (mixed, plain)
    ]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("strategy", [pairs(), sma()])
def test_a_strategy_is_frozen(strategy: nt.Pairs | nt.SmaCross) -> None:
    with pytest.raises(AttributeError):
        strategy.gross = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("strategy", [pairs(exit=-0.5, gross="20%"), sma(fast=7, gross=0.5)])
def test_a_strategy_goes_through_json(strategy: nt.Pairs | nt.SmaCross) -> None:
    text = msgspec.json.encode(strategy)
    assert msgspec.json.decode(text, type=nt.Pairs | nt.SmaCross) == strategy


@pytest.mark.parametrize(
    ("value", "amount", "of_equity"),
    [
        (20_000, 20_000.0, False),
        (10.000001, 10.000001, False),
        ("20000", 20_000.0, False),
        (" 2e4 ", 20_000.0, False),
        (10, 10.0, True),
        (0.2, 0.2, True),
        ("0.2", 0.2, True),
        ("20%", 0.2, True),
        (" 20 % ", 0.2, True),
        ("1500%", 15.0, True),
        ("150%", 1.5, True),
        (Decimal("0.2"), 0.2, True),
        (Fraction(1, 4), 0.25, True),
        (np.float32(0.5), 0.5, True),
    ],
)
def test_gross_is_money_or_a_share_of_equity(value: Any, amount: float, of_equity: bool) -> None:
    assert read_gross(value) == Gross(amount, of_equity)
    assert pairs(gross=value).sizing == Gross(amount, of_equity)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (20_000, "20,000.00 in money"),
        ("20%", "0.2 of equity (20 %)"),
        (1.5, "1.5 of equity (150 %)"),
    ],
)
def test_the_size_is_said_in_words(value: float | str, text: str) -> None:
    assert str(read_gross(value)) == text
