"""Kernels run without bounds checks: what they check themselves is all that protects memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from neural_trader._kernels import execution, pairs, sma_cross
from tests.interpreted import load_interpreted, with_memoryviews

BARS = 12
Arguments = dict[str, Any]


def floats(*shape: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return an array in which a write would show."""
    return np.full(shape, 7.25)


def ints(*shape: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.full(shape, 7, dtype=np.int64)


def prices() -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.arange(2.0 * BARS).reshape(2, BARS) % 7 + 10.0


def pairs_signals() -> Arguments:
    return {
        "prices": prices(),
        "row_y": 0,
        "row_x": 1,
        "lookback": 3,
        "scratch": floats(pairs.SCRATCH_ROWS, 3),
        "out": floats(pairs.OUT_ROWS, BARS),
    }


def pairs_decide() -> Arguments:
    return {
        "prices": prices(),
        "rows": (0, 1),
        "signals": floats(3, BARS),
        "levels": (2.0, 0.5, 1_000.0),
        "once": False,
        "state": np.zeros(4, dtype=np.int64),
        "intents": ints(2, 4),
        "targets": floats(4),
    }


def sma_signals() -> Arguments:
    return {
        "prices": prices(),
        "row": 1,
        "windows": (2, 5),
        "scratch": floats(5),
        "out": floats(sma_cross.OUT_ROWS, BARS),
    }


def sma_decide() -> Arguments:
    return {
        "prices": prices(),
        "row": 1,
        "signals": floats(2, BARS),
        "gross": 1_000.0,
        "once": False,
        "state": np.zeros(4, dtype=np.int64),
        "intents": ints(2, 2),
        "targets": floats(2),
    }


def execution_fill() -> Arguments:
    return {
        "prices": prices(),
        "rows": np.array([0, 1], dtype=np.int64),
        "intents": np.array([[1, 1, 4], [0, 1, 0]], dtype=np.int64),
        "targets": np.array([5.0, -3.0, 0.0]),
        "span": (0, 3),
        "costs": (0.0, 0.0),
        "ledger": np.array([100.0, 0.0, 0.0]),
        "counts": np.zeros(1, dtype=np.int64),
        "where": ints(2, 3),
        "fills": floats(5, 3),
    }


def execution_mark() -> Arguments:
    return {
        "prices": prices(),
        "rows": np.array([0, 1], dtype=np.int64),
        "where": np.array([[3, 5], [0, 1]], dtype=np.int64),
        "fills": np.array([[1.0, 1.0], [9.0, 9.0], [9.0, 9.0], [0.0, 0.0], [91.0, 82.0]]),
        "first": 2,
        "ledger": np.array([100.0, 0.0, 0.0]),
        "equity": floats(BARS - 2),
        "peak": np.zeros(2),
    }


KERNELS: dict[str, tuple[Callable[..., Any], Callable[[], Arguments]]] = {
    "pairs.signals": (pairs.signals, pairs_signals),
    "pairs.decide": (pairs.decide, pairs_decide),
    "sma_cross.signals": (sma_cross.signals, sma_signals),
    "sma_cross.decide": (sma_cross.decide, sma_decide),
    "execution.fill": (execution.fill, execution_fill),
    "execution.mark": (execution.mark, execution_mark),
}

WRONG: list[tuple[str, Arguments]] = [
    ("pairs.signals", {"row_y": 2}),
    ("pairs.signals", {"row_y": -1}),
    ("pairs.signals", {"row_x": 2}),
    ("pairs.signals", {"row_x": -1}),
    ("pairs.signals", {"lookback": 2}),
    ("pairs.signals", {"lookback": 0}),
    ("pairs.signals", {"lookback": -3}),
    ("pairs.signals", {"lookback": 4}),
    ("pairs.signals", {"scratch": floats(4, 3)}),
    ("pairs.signals", {"scratch": floats(5, 2)}),
    ("pairs.signals", {"out": floats(2, BARS)}),
    ("pairs.signals", {"out": floats(3, BARS - 1)}),
    ("pairs.signals", {"out": floats(3, BARS + 1)}),
    ("pairs.decide", {"rows": (0, 2)}),
    ("pairs.decide", {"rows": (-1, 0)}),
    ("pairs.decide", {"signals": floats(2, BARS)}),
    ("pairs.decide", {"signals": floats(3, BARS - 1)}),
    ("pairs.decide", {"intents": ints(1, 4)}),
    ("pairs.decide", {"intents": ints(2, 5)}),
    ("pairs.decide", {"intents": ints(2, 3), "targets": floats(3)}),
    ("pairs.decide", {"state": np.zeros(3, dtype=np.int64)}),
    ("pairs.decide", {"state": np.array([-1, 0, 0, 0])}),
    ("sma_cross.signals", {"row": 2}),
    ("sma_cross.signals", {"row": -1}),
    ("sma_cross.signals", {"windows": (0, 5)}),
    ("sma_cross.signals", {"windows": (2, -5)}),
    ("sma_cross.signals", {"windows": (2, 6)}),
    ("sma_cross.signals", {"windows": (6, 2)}),
    ("sma_cross.signals", {"out": floats(1, BARS)}),
    ("sma_cross.signals", {"out": floats(2, BARS - 1)}),
    ("sma_cross.decide", {"row": 2}),
    ("sma_cross.decide", {"row": -1}),
    ("sma_cross.decide", {"signals": floats(1, BARS)}),
    ("sma_cross.decide", {"signals": floats(2, BARS + 1)}),
    ("sma_cross.decide", {"intents": ints(1, 2)}),
    ("sma_cross.decide", {"intents": ints(2, 3)}),
    ("sma_cross.decide", {"intents": ints(2, 1), "targets": floats(1)}),
    ("sma_cross.decide", {"state": np.zeros(3, dtype=np.int64)}),
    ("sma_cross.decide", {"state": np.array([-1, 0, 0, 0])}),
    ("execution.fill", {"rows": np.array([0, 2])}),
    ("execution.fill", {"rows": np.array([-1, 1])}),
    ("execution.fill", {"intents": ints(1, 3)}),
    ("execution.fill", {"intents": ints(2, 2)}),
    ("execution.fill", {"targets": floats(2)}),
    ("execution.fill", {"span": (0, 4)}),
    ("execution.fill", {"span": (-1, 2)}),
    ("execution.fill", {"span": (2, 1)}),
    ("execution.fill", {"ledger": floats(2)}),
    ("execution.fill", {"ledger": floats(4)}),
    ("execution.fill", {"counts": np.zeros(0, dtype=np.int64)}),
    ("execution.fill", {"where": ints(1, 3)}),
    ("execution.fill", {"where": ints(2, 2)}),
    ("execution.fill", {"fills": floats(4, 3)}),
    ("execution.fill", {"fills": floats(5, 2)}),
    ("execution.fill", {"intents": np.array([[-1, 1, 4], [0, 1, 0]])}),
    ("execution.fill", {"intents": np.array([[1, 1, 4], [2, 1, 0]])}),
    ("execution.fill", {"intents": np.array([[1, 1, 4], [-1, 1, 0]])}),
    ("execution.mark", {"rows": np.array([0, 2])}),
    ("execution.mark", {"rows": np.array([-1, 0])}),
    ("execution.mark", {"first": -1, "equity": floats(BARS + 1)}),
    ("execution.mark", {"first": BARS + 1, "equity": floats(0)}),
    ("execution.mark", {"first": 3}),
    ("execution.mark", {"equity": floats(BARS)}),
    ("execution.mark", {"where": ints(1, 2)}),
    ("execution.mark", {"fills": floats(4, 2)}),
    ("execution.mark", {"fills": floats(5, 1)}),
    ("execution.mark", {"fills": floats(5, 3)}),
    ("execution.mark", {"ledger": floats(2)}),
    ("execution.mark", {"peak": floats(1)}),
    ("execution.mark", {"where": np.array([[1, 5], [0, 1]])}),
    ("execution.mark", {"where": np.array([[3, BARS], [0, 1]])}),
    ("execution.mark", {"where": np.array([[5, 3], [0, 1]])}),
    ("execution.mark", {"where": np.array([[3, 5], [0, 2]])}),
    ("execution.mark", {"where": np.array([[3, 5], [-1, 1]])}),
]


def label(case: tuple[str, Arguments]) -> str:
    shown = (
        f"{key}={value.tolist() if value.size < 9 else value.shape}"
        if isinstance(value, np.ndarray)
        else f"{key}={value}"
        for key, value in case[1].items()
    )
    return f"{case[0]}({', '.join(shown)})"


def call(kernel: str, arguments: Arguments, *, compiled: bool) -> Any:
    room, name = kernel.split(".")
    function = KERNELS[kernel][0]
    if not compiled:
        function = with_memoryviews(getattr(load_interpreted(room), name))
    return function(*arguments.values())


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "interpreted"])
@pytest.mark.parametrize("case", WRONG, ids=label)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    case: tuple[str, Arguments], compiled: bool
) -> None:
    kernel, wrong = case
    arguments = KERNELS[kernel][1]() | {
        key: value.copy() if isinstance(value, np.ndarray) else value
        for key, value in wrong.items()
    }
    before = {k: v.copy() for k, v in arguments.items() if isinstance(v, np.ndarray)}
    with pytest.raises(ValueError, match=r"\S"):
        call(kernel, arguments, compiled=compiled)
    for name, array in before.items():
        np.testing.assert_array_equal(arguments[name], array, err_msg=name)


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "interpreted"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_what_fits_is_taken(kernel: str, compiled: bool) -> None:
    """The arguments that each wrong case changes are right themselves."""
    arguments = KERNELS[kernel][1]()
    before = {k: v.copy() for k, v in arguments.items() if isinstance(v, np.ndarray)}
    call(kernel, arguments, compiled=compiled)
    changed = [k for k, v in before.items() if not np.array_equal(arguments[k], v, equal_nan=True)]
    assert changed


@pytest.mark.parametrize("kernel", KERNELS)
def test_read_only_prices_are_read(kernel: str) -> None:
    arguments = KERNELS[kernel][1]()
    arguments["prices"].flags.writeable = False
    call(kernel, arguments, compiled=True)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (prices().astype(np.float32), "dtype mismatch"),
        (prices().astype(np.int64), "dtype mismatch"),
        (np.asfortranarray(prices()), "contiguous"),
        (np.repeat(prices(), 2, axis=1)[:, ::2], "contiguous"),
        (prices()[0], "dimensions"),
    ],
    ids=["float32", "int64", "Fortran order", "strided", "one dimension"],
)
def test_prices_of_another_kind_are_refused(kernel: str, wrong: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        call(kernel, KERNELS[kernel][1]() | {"prices": wrong}, compiled=True)


def test_an_output_that_is_read_only_is_refused() -> None:
    arguments = pairs_signals()
    arguments["out"].flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        call("pairs.signals", arguments, compiled=True)
