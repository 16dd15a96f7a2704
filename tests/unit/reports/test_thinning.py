import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader.reports.thinning import compute_shown_bars

VALUES = st.floats(allow_infinity=False, width=32)


def test_a_short_run_is_shown_whole() -> None:
    assert compute_shown_bars([np.zeros(10)], points_max=10).tolist() == list(range(10))


@given(
    lines=st.integers(11, 400).flatmap(
        lambda n: st.lists(st.lists(VALUES, min_size=n, max_size=n), min_size=1, max_size=3)
    ),
    points_max=st.integers(9, 60),
)
def test_extremes_stay_and_the_rest_is_thinned(lines: list[list[float]], points_max: int) -> None:
    arrays = [np.array(line) for line in lines]
    shown = compute_shown_bars(arrays, points_max=points_max)
    assert len(shown) <= max(points_max, 1)
    assert (np.diff(shown) > 0).all()
    assert (shown[0], shown[-1]) == (0, len(lines[0]) - 1)
    for line in arrays:
        if not np.isnan(line).all():
            assert np.nanmax(line[shown]) == np.nanmax(line)
            assert np.nanmin(line[shown]) == np.nanmin(line)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_spike_of_every_stretch_stays(sign: float) -> None:
    line = np.zeros(90_000)
    spikes = np.arange(50, 90_000, 300)
    line[spikes] = sign
    shown = compute_shown_bars([line, np.arange(90_000.0)], points_max=1_501)
    assert set(spikes.tolist()) <= set(shown.tolist())
