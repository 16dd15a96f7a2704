"""Walks through history; needs PyTorch."""

import numpy as np
import pytest
from msgspec.structs import replace

from neural_trader.core import ConfigError, DataError
from neural_trader.forecast.walk_forward import stretches, walk
from neural_trader.forecast.windows import transformed
from tests.made_panels import JUDGE, SMALL, panel, random_walk, seasonal

pytest.importorskip("torch", reason="training needs PyTorch: make neural-test")

PANEL = seasonal()
VALUES = transformed(PANEL, "log", bars_min=10)


def test_stretches_follow_each_other_to_the_last_bar() -> None:
    found = stretches(PANEL, SMALL, JUDGE)
    assert [(one.first, one.stop) for one in found] == [(225, 300), (300, 400), (400, 500)]
    dated = stretches(PANEL, SMALL, replace(JUDGE, test_start=PANEL.date(350)))
    assert dated[1].first == 350


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"folds": 50}, "need 77 before it and 46 in each fold"),
        ({"test_share": 0.9}, "50 bars before the test"),
        ({"test_start": "1997-06-01"}, "13 bars before the test"),
    ],
)
def test_too_few_bars_are_told_in_bars(change: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        stretches(PANEL, SMALL, replace(JUDGE, **change))


def test_a_test_after_the_last_bar_is_refused() -> None:
    for start, words in (("2030-01-01", "ends on"), ("soon", "expected a session date")):
        with pytest.raises(ConfigError, match=words):
            stretches(PANEL, SMALL, replace(JUDGE, test_start=start))


def test_every_origin_of_the_test_is_forecast_once() -> None:
    made = walk(PANEL, VALUES, SMALL, JUDGE, device="cpu").predictions
    assert made.at.tolist() == list(range(299, 497))
    assert made.truths[0, 1].tolist() == VALUES[1, 300:303].tolist()
    assert made.last[0].tolist() == VALUES[:, 299].tolist()
    assert set(made.forecasts) == {"nhits", "naive", "drift", "ar", "ewma"}
    assert made.errors("nhits").mean() < 0.5 * made.errors("naive").mean()
    for held in made.covered.values():
        assert held.shape == (3, 198, 2, 3)
        assert (held[0].mean(), held[2].mean()) == pytest.approx((0.8, 0.95), abs=0.12)


def test_what_comes_later_changes_no_earlier_forecast() -> None:
    bar = 430
    future = PANEL.values.copy()
    future[bar:] *= np.exp(np.random.default_rng(1).normal(0.0, 0.1, future[bar:].shape))
    other = panel(future)
    one = walk(PANEL, VALUES, SMALL, JUDGE, device="cpu").predictions
    two = walk(other, np.log(future.T).copy(), SMALL, JUDGE, device="cpu").predictions
    known = one.at < bar
    for source in one.forecasts:
        assert np.array_equal(one.forecasts[source][known], two.forecasts[source][known])
        assert not np.array_equal(one.forecasts[source][~known], two.forecasts[source][~known])
    assert np.array_equal(one.volatility[known], two.volatility[known])
    # An interval is calibrated before its stretch; its truths must be the same to be compared.
    finished = one.at + SMALL.horizon < bar
    for source, held in one.covered.items():
        assert np.array_equal(held[:, finished], two.covered[source][:, finished])


def test_the_last_network_knows_every_bar() -> None:
    walked = walk(PANEL, VALUES, SMALL, JUDGE, device="cpu")
    assert walked.learned_until == 500
    assert [fit["to"] for fit in walked.fits] == [PANEL.date(k) for k in (224, 299, 399, 499)]
    assert set(walked.offsets) == {"nhits", walked.baseline.name}
    for ladder in walked.offsets.values():
        assert [offsets.level for offsets in ladder] == [0.8, 0.9, 0.95]
        assert (ladder[0].lower > ladder[2].lower).all()
        assert (ladder[0].upper < ladder[2].upper).all()


@pytest.mark.parametrize("stop_at", [20, 100, 230])
def test_after_ctrl_c_the_network_of_then_goes_on(stop_at: int) -> None:
    def stop(step: int, _steps: int) -> None:
        if step == stop_at:
            raise KeyboardInterrupt

    config = replace(SMALL, check_every=10, patience=100)
    walked = walk(PANEL, VALUES, config, JUDGE, device="cpu", progress=stop)
    fits = stop_at // SMALL.steps + 1
    assert len(walked.fits) == fits
    assert walked.fits[-1]["is_interrupted"]
    assert walked.last.is_interrupted
    assert walked.learned_until == (225, 300, 400, 500)[fits - 1]
    assert len(walked.predictions.at) == 198


def test_drift_is_chosen_where_it_erred_least_before_the_test() -> None:
    rising = random_walk().values * np.exp(0.01 * np.arange(500))[:, None]
    config = replace(SMALL, steps=1)
    values = np.log(rising.T).copy()
    assert walk(panel(rising), values, config, JUDGE, device="cpu").baseline.name == "drift"
