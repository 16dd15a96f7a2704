"""Evaluation cards of forecasts that know a part of the future: no network is trained for them."""

from typing import Any

import numpy as np

from neural_trader.forecast import Artefact, NHiTSConfig
from neural_trader.forecast.baselines import fit_baselines
from neural_trader.forecast.card import Judged, make_card
from neural_trader.forecast.predictions import Predictions, calibrate, cover
from neural_trader.forecast.windows import targets_at, transformed, windows_at
from tests.made_forecasts import made_artefact, made_network
from tests.made_panels import JUDGE, panel, random_walk

LOOKBACK, HORIZON, BARS, SERIES = 16, 3, 600, 4
PANEL = panel(random_walk(3, bars=BARS, series=SERIES).values, labels=("survivors",))
VALUES = transformed(PANEL, "log", bars_min=10)
TRIALS = {"count": 3, "counted": "by hand"}


def judged() -> Judged:
    return Judged(PANEL, HORIZON, "log", "drift", 2, TRIALS)


def predictions(knowledge: np.ndarray, *, noise: float = 0.0, first: int = 300) -> Predictions:
    """Return forecasts that know a part of each series' future."""
    at = np.arange(first, BARS - HORIZON)
    truths, last = targets_at(VALUES, at, HORIZON), VALUES[:, at].T
    windows = windows_at(VALUES, at, LOOKBACK)
    baselines = fit_baselines(VALUES[:, :first], LOOKBACK, HORIZON)
    made = {name: one.forecast(windows, np.arange(SERIES)) for name, one in baselines.items()}
    luck = noise * np.random.default_rng(1).normal(size=truths.shape)
    made["nhits"] = made["drift"] + knowledge[:, None] * (truths - made["drift"]) + luck
    found = Predictions(at, last, np.full(last.shape, 0.01), truths, made, {})
    covered = {
        name: cover(found, name, calibrate(found, name, JUDGE.coverages))
        for name in ("nhits", "drift")
    }
    return found._replace(covered=covered)


def made_card(knowledge: Any = (0.3, 0.0, 0.3, 0.0)) -> dict[str, Any]:
    """Return a card of four series, with what a training adds to it."""
    card = make_card(predictions(np.array(knowledge), noise=1e-4), judged(), JUDGE)
    card["training"] = {
        "fits": [
            {
                "from": PANEL.date(0),
                "to": PANEL.date(299),
                "steps": 60,
                "best_step": 50,
                "loss_untrained": 0.3,
                "loss": 0.2,
                "is_interrupted": False,
            }
        ],
        "is_interrupted": False,
        "seed": 1,
    }
    bands = [{"level": 0.8, "lower": [97.0, 96.0], "upper": [103.0, 104.0]}]
    card["fan"] = {
        "as_of": PANEL.date(BARS - 1),
        "series": {
            "S0": {
                "source": "nhits",
                "history": [99.0, 101.0, 100.0],
                "forecast": [100.5, 101.0],
                "bands": bands,
            }
        },
    }
    return card


def judged_artefact() -> Artefact:
    """Return an artefact whose card was made by hand."""
    made = made_artefact(
        made_network(lookback=LOOKBACK, horizon=HORIZON), series=PANEL.series, card=made_card()
    )
    return made._replace(config=NHiTSConfig(horizon=HORIZON, lookback=LOOKBACK))
