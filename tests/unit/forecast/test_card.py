"""The evaluation card, on predictions made by hand."""

import json

import numpy as np
import pytest

from neural_trader.core import DataError
from neural_trader.forecast.baselines import fit_baselines
from neural_trader.forecast.card import make_card
from neural_trader.forecast.predictions import Predictions
from neural_trader.forecast.windows import targets_at, windows_at
from tests.made_cards import (
    BARS,
    HORIZON,
    LOOKBACK,
    PANEL,
    SERIES,
    TRIALS,
    VALUES,
    judged,
    predictions,
)
from tests.made_panels import JUDGE


def test_only_series_with_knowledge_pass() -> None:
    card = make_card(predictions(np.array([0.3, 0.0, 0.3, 0.0]), noise=1e-4), judged(), JUDGE)
    assert card["gate"]["passed"] == ["S0", "S2"]
    assert card["by_series"]["S0"]["p_value_holm"] < 0.001
    assert card["by_series"]["S0"]["skill"]["drift"]["value"] == pytest.approx(0.51, abs=0.01)
    assert card["by_series"]["S1"]["p_value_holm"] > 0.05
    assert "for 2 of 4 series (S0, S2;" in card["verdict"]
    assert "the others come from drift" in card["verdict"]
    assert json.loads(json.dumps(card, allow_nan=False)) == card


def test_a_copy_of_a_baseline_never_passes() -> None:
    card = make_card(predictions(np.zeros(SERIES)), judged(), JUDGE)
    assert card["gate"]["passed"] == []
    assert card["skill"]["drift"] == {"value": 0.0, "lower": 0.0, "upper": 0.0}
    assert all(found["p_value_holm"] == 1.0 for found in card["by_series"].values())
    assert "for no series" in card["verdict"]
    assert card["verdict"].endswith("forecasts come from drift.")
    assert "survivors" in card["verdict"]
    assert card["gate"]["why"] == "drift erred least of naive and drift before the test began"


def test_both_baselines_must_be_beaten() -> None:
    """Rising prices: a forecast better than naive, and no better than drift."""
    values = VALUES + 0.02 * np.arange(BARS)
    at = np.arange(300, BARS - HORIZON)
    truths, last = targets_at(values, at, HORIZON), values[:, at].T
    windows = windows_at(values, at, LOOKBACK)
    baselines = fit_baselines(values[:, :300], LOOKBACK, HORIZON)
    made = {name: one.forecast(windows, np.arange(SERIES)) for name, one in baselines.items()}
    noise = 1e-3 * np.random.default_rng(2).normal(size=truths.shape)
    made["nhits"] = made["drift"] + noise
    found = Predictions(at, last, np.full(last.shape, 0.01), truths, made, {})
    card = make_card(found, judged(), JUDGE)
    assert card["diebold_mariano"]["naive"]["p_value"] < 0.001
    assert card["diebold_mariano"]["drift"]["p_value"] > 0.05
    assert card["gate"]["passed"] == []


def test_the_card_says_what_it_rests_on() -> None:
    card = make_card(predictions(np.full(SERIES, 0.2)), judged(), JUDGE)
    assert set(card) == {
        "model", "horizon", "series", "labels", "test", "errors", "skill", "diebold_mariano",
        "by_step", "by_series", "direction", "cross_section", "coverage", "trading", "trials",
        "evaluation", "gate", "version", "verdict",
    }  # fmt: skip
    assert card["test"]["from"] == PANEL.date(301)
    assert card["test"]["to"] == PANEL.date(BARS - 1)
    assert card["test"]["origins"] == 297
    assert card["trials"] == TRIALS
    assert [rung["level"] for rung in card["coverage"]["nhits"]] == [0.8, 0.9, 0.95]
    assert card["coverage"]["nhits"][1]["overall"] == pytest.approx(0.9, abs=0.01)
    assert len(card["by_step"]["naive"]) == HORIZON
    level = make_card(predictions(np.zeros(SERIES)), judged()._replace(values="level"), JUDGE)
    assert "reason" in level["trading"]


def test_too_short_a_test_is_refused() -> None:
    found = predictions(np.zeros(SERIES))
    few = found.take(np.arange(len(found.at)) < 7)
    with pytest.raises(DataError, match="hold out more"):
        make_card(few, judged(), JUDGE)
