"""From bars to a judged artefact; needs PyTorch."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

import neural_trader as nt
from neural_trader.core import ConfigError, DataError
from neural_trader.forecast import Artefact, NHiTSConfig
from tests.made_forecasts import made_artefact
from tests.made_panels import JUDGE, SMALL, panel, random_walk, seasonal

pytest.importorskip("torch", reason="training needs PyTorch: make neural-test")

# Enough for every series of a wave to be told from luck.
LONGER = replace(SMALL, steps=150)


@pytest.fixture(scope="module")
def waves() -> Artefact:
    return nt.forecast.train(seasonal(bars=700), LONGER, JUDGE, device="cpu")


def test_what_can_be_forecast_passes(waves: Artefact) -> None:
    assert waves.card["gate"]["passed"] == ["S0", "S1"]
    assert waves.source("S0") == "nhits"
    assert waves.card["skill"]["drift"]["lower"] > 0.3
    assert waves.card["training"]["is_interrupted"] is False
    assert waves.card["verdict"].endswith("these forecasts come from nhits.")


@pytest.mark.parametrize("seed", range(4))
def test_a_random_walk_does_not_pass(seed: int) -> None:
    made = nt.forecast.train(random_walk(seed), SMALL, JUDGE, device="cpu")
    assert made.card["gate"]["passed"] == []
    assert made.source("S0") in ("naive", "drift")
    assert f"forecasts come from {made.baseline.name}" in made.card["verdict"]


def test_returns_that_follow_each_other_pass() -> None:
    rng = np.random.default_rng(1)
    steps = rng.normal(0.0, 0.01, (1_500, 2))
    for bar in range(1, len(steps)):
        steps[bar] += 0.6 * steps[bar - 1]
    prices = panel(100.0 * np.exp(np.cumsum(steps, axis=0)))
    made = nt.forecast.train(prices, replace(LONGER, steps=300), JUDGE, device="cpu")
    assert made.card["gate"]["passed"] == ["S0", "S1"]


def test_what_was_trained_is_saved_loaded_and_served(waves: Artefact, tmp_path: Path) -> None:
    folder = nt.forecast.save_artefact(waves, tmp_path / "waves")
    fan = waves.card["fan"]["series"]["S1"]
    served = nt.forecast.load(folder).forecast(seasonal(bars=700).values[:, 1], symbol="S1")
    assert served.source == "nhits"
    assert served.forecast == pytest.approx(fan["forecast"], rel=1e-6)
    (band,) = [one for one in fan["bands"] if one["level"] == served.level]
    assert served.lower == pytest.approx(band["lower"], rel=1e-6)
    assert served.upper == pytest.approx(band["upper"], rel=1e-6)


def test_bars_of_the_sample_are_trained_on_with_their_label() -> None:
    bars = nt.load("sp500-closes", symbols=["KO", "PEP", "JNJ"], start="2018-01-01")
    made = nt.forecast.train(bars, replace(SMALL, steps=20), JUDGE, device="cpu")
    assert made.series == ("KO", "PEP", "JNJ")
    given = made.provenance
    assert given.labels == ("survivors",)
    assert (given.train_start, given.train_end) == ("2018-01-02", "2022-12-28")
    assert "survivors" in made.card["verdict"]
    assert made.card["cross_section"]["rank_ic"]["value"] is not None


def test_a_network_is_evaluated_on_later_bars_alone() -> None:
    whole = seasonal(bars=900)
    before = panel(whole.values[:700])
    made = nt.forecast.train(before, LONGER, JUDGE, device="cpu")
    card = nt.forecast.evaluate(made, whole)
    assert card["test"]["from"] == whole.date(700)
    assert card["test"]["to"] == whole.date(899)
    assert card["gate"]["passed"] == ["S0", "S1"]
    assert card["coverage"]["nhits"][0]["level"] == 0.8
    later = nt.forecast.evaluate(made, whole, replace(JUDGE, test_start=whole.date(800)))
    assert later["test"]["from"] == whole.date(800)
    with pytest.raises(DataError, match=r"0 new bars after .* train with an earlier --end"):
        nt.forecast.evaluate(made, before)
    with pytest.raises(DataError, match="the data have the series S0; the network was trained"):
        nt.forecast.evaluate(made, panel(whole.values[:, :1]))


def test_an_imported_network_is_not_evaluated() -> None:
    with pytest.raises(ConfigError, match="this network was imported"):
        nt.forecast.evaluate(made_artefact(series=(), passed=()), random_walk())


def test_a_horizon_that_is_too_long_for_the_bars_says_so() -> None:
    with pytest.raises(DataError, match="need"):
        nt.forecast.train(random_walk(), NHiTSConfig(horizon=300), JUDGE)
