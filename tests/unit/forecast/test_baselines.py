import numpy as np
import pytest
from statsmodels.tsa.ar_model import AutoReg

from neural_trader.forecast.baselines import NAMES, fit_baselines

LOOKBACK, HORIZON = 12, 4


def walk(seed: int, bars: int = 400, series: int = 3, follow: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.001, 0.01, (series, bars))
    for bar in range(1, bars):
        steps[:, bar] += follow * steps[:, bar - 1]
    return 4.0 + np.cumsum(steps, axis=1)


def test_there_are_four_and_each_forecasts_every_shape() -> None:
    values = walk(1)
    made = fit_baselines(values, LOOKBACK, HORIZON)
    assert tuple(made) == NAMES
    for name, baseline in made.items():
        assert baseline.name == name
        one = baseline.forecast(values[1, -LOOKBACK:], 1)
        many = baseline.forecast(values[:, -LOOKBACK:], np.arange(3))
        assert one.shape == (HORIZON,)
        assert many.shape == (3, HORIZON)
        assert np.allclose(many[1], one, rtol=0, atol=1e-14)


def test_naive_stays_and_drift_goes_on() -> None:
    values = walk(2)
    made = fit_baselines(values, LOOKBACK, HORIZON)
    window = values[:, -LOOKBACK:]
    last = values[:, -1:]
    assert np.array_equal(made["naive"].forecast(window, np.arange(3)), last + np.zeros(HORIZON))
    slope = (values[:, -1:] - values[:, :1]) / (values.shape[1] - 1)
    wanted = last + slope * np.arange(1, HORIZON + 1)
    assert np.allclose(made["drift"].forecast(window, np.arange(3)), wanted, rtol=0, atol=1e-12)


def test_ar_is_that_of_statsmodels() -> None:
    values = walk(3, series=1, follow=0.4)
    made = fit_baselines(values, LOOKBACK, HORIZON)["ar"]
    changes = np.diff(values[0])
    centered = changes - changes.mean()
    fitted = AutoReg(centered, lags=5, trend="n").fit()
    future = fitted.predict(len(centered), len(centered) + HORIZON - 1) + changes.mean()
    wanted = values[0, -1] + np.cumsum(future)
    assert np.allclose(made.forecast(values[0, -LOOKBACK:], 0), wanted, rtol=0, atol=1e-10)


def test_ewma_is_a_mean_of_the_window_and_finds_its_weight() -> None:
    rng = np.random.default_rng(4)
    noisy = walk(4, bars=2_000) * 0.1 + rng.normal(0.0, 0.05, (3, 2_000))
    made = fit_baselines(noisy, LOOKBACK, HORIZON)["ewma"]
    assert made.weight.sum(axis=0) == pytest.approx(np.ones(HORIZON))
    # Much noise around a level: the last value alone is a bad guess of it.
    assert made.weight[-1, 0] < 0.5
    smooth = fit_baselines(walk(5, bars=2_000), LOOKBACK, HORIZON)["ewma"]
    assert smooth.weight[-1, 0] > 0.9
    # A constant window is forecast as it is.
    assert made.forecast(np.full(LOOKBACK, 3.0), 0) == pytest.approx(np.full(HORIZON, 3.0))


def test_a_series_that_has_not_moved_yet_does_not_spoil_the_others() -> None:
    values = walk(6, follow=0.3)
    still = np.vstack([values, np.full((1, values.shape[1]), 4.0)])
    made, wanted = fit_baselines(still, LOOKBACK, HORIZON), fit_baselines(values, LOOKBACK, HORIZON)
    for name in NAMES:
        assert np.allclose(made[name].weight, wanted[name].weight, rtol=0, atol=1e-9)
        assert made[name].forecast(still[3, -LOOKBACK:], 3) == pytest.approx(np.full(HORIZON, 4.0))
