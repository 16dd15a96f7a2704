"""The kernel that looks at bars first agrees with the checks that allow for noise."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader._kernels import soundness
from neural_trader.data.validate import are_sound, is_in_range, is_positive
from tests.interpreted import load_interpreted, with_memoryviews

VALUES = st.one_of(
    st.sampled_from([1.0, 1.0 + 1e-12, 1.5, 2.0, 0.0, -0.0, -1.0, 5e-324, 1e308]),
    st.sampled_from([float("nan"), float("inf"), float("-inf")]),
)
NAMES = ("open", "high", "low", "close", "volume")


@st.composite
def bars(draw: st.DrawFn) -> dict[str, Any]:
    names = [*draw(st.sets(st.sampled_from(NAMES))), "close"]
    n = draw(st.integers(1, 4))
    plain = {"open": 1.2, "high": 2.0, "low": 1.0, "close": 1.5, "volume": 0.0}
    # One cell or a few are drawn: with all of them hardly any bar would be sound.
    fields = {name: np.full(n, plain[name]) for name in names}
    for _ in range(draw(st.integers(0, 2))):
        fields[draw(st.sampled_from(names))][draw(st.integers(0, n - 1))] = draw(VALUES)
    return fields


@given(bars())
def test_bars_are_sound_where_every_check_says_so(fields: dict[str, Any]) -> None:
    full = all(is_positive(x, is_volume=name == "volume") for name, x in fields.items())
    assert are_sound(fields) == (full and is_in_range(fields))


@given(bars())
def test_the_interpreted_kernel_agrees(fields: dict[str, Any]) -> None:
    columns = [fields.get(name, fields["close"]) for name in NAMES]
    interpreted = with_memoryviews(load_interpreted("soundness").is_sound)
    assert interpreted(*columns) == soundness.is_sound(*columns)


def test_fields_of_other_lengths_are_refused() -> None:
    one, two = np.ones(1), np.ones(2)
    for at in range(4):
        columns = [two if each == at else one for each in range(5)]
        with pytest.raises(ValueError, match="equally long"):
            soundness.is_sound(*columns)
