"""The evaluation card: is the network better than a straight line, and by how much."""

from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from neural_trader.core.version import VERSION
from neural_trader.forecast import figures
from neural_trader.forecast.artefact import MODEL
from neural_trader.forecast.baselines import GATE, NAMES
from neural_trader.forecast.config import EvaluationConfig
from neural_trader.forecast.predictions import Predictions
from neural_trader.forecast.significance import (
    Resampled,
    block_length,
    diebold_mariano,
    holm,
)
from neural_trader.forecast.windows import Panel

Floats = NDArray[np.float64]

ALPHA: Final = 0.05
_NAMED_MAX: Final = 6


class Judged(NamedTuple):
    """What is judged, beside the predictions themselves.

    Attributes
    ----------
    panel : Panel
        With the bars that the predictions were made on.
    horizon : int
    values : {"log", "level", "none"}
    baseline : str
        What is served where the network does not pass.
    folds : int
        Networks that the test part was forecast by.
    trials : dict
        How many trainings were judged on this test part, as JSON values.
    """

    panel: Panel
    horizon: int
    values: str
    baseline: str
    folds: int
    trials: dict[str, Any]


def make_card(made: Predictions, judged: Judged, evaluation: EvaluationConfig) -> dict[str, Any]:
    """Judge forecasts, and say it in one sentence.

    Parameters
    ----------
    made : Predictions
        Of origins that nothing was trained on.
    judged : Judged
    evaluation : EvaluationConfig

    Returns
    -------
    dict
        JSON values; ``docs/forecast.md`` has every key.

    Raises
    ------
    DataError
        There are too few origins for a test.
    """
    count = len(made.at)
    block = block_length(count, judged.horizon)
    resampled = Resampled(count, block=block, draws=evaluation.draws, seed=evaluation.seed)
    errors = {name: made.errors(name) for name in (MODEL, *NAMES)}
    by_series = _by_series(errors, judged, resampled)
    passed = [name for name, found in by_series.items() if found["is_passed"]]
    card: dict[str, Any] = {
        "model": MODEL,
        "horizon": judged.horizon,
        "series": list(judged.panel.series),
        "labels": list(judged.panel.labels),
        "test": _test(made, judged, block),
        "errors": {name: float(found.mean()) for name, found in errors.items()},
        "skill": _pooled(errors, resampled),
        "diebold_mariano": {
            name: _test_of(errors[MODEL].mean(axis=1), errors[name].mean(axis=1), judged.horizon)
            for name in GATE
        },
        "by_step": _by_step(made),
        "by_series": by_series,
        "direction": figures.direction(made, resampled),
        "cross_section": figures.cross_section(made, resampled),
        "coverage": figures.coverage(made, evaluation.coverages),
        "trading": _trading(made, judged, evaluation, resampled),
        "trials": judged.trials,
        "evaluation": msgspec.json.decode(msgspec.json.encode(evaluation)),
        "gate": {
            "passed": passed,
            "alpha": ALPHA,
            "baseline": judged.baseline,
            "why": (f"{judged.baseline} erred least of {' and '.join(GATE)} before the test began"),
        },
        "version": VERSION,
    }
    card["verdict"] = verdict(card)
    return card


def _test(made: Predictions, judged: Judged, block: int) -> dict[str, Any]:
    panel = judged.panel
    return {
        "data": panel.name,
        "data_sha256": panel.sha256,
        "from": panel.date(int(made.at[0]) + 1),
        "to": panel.date(int(made.at[-1]) + judged.horizon),
        "origins": len(made.at),
        "folds": judged.folds,
        "block": block,
        "unit": (
            f"squared error of {'logarithms' if judged.values == 'log' else 'values'}, a mean over "
            f"steps 1 to {judged.horizon}"
        ),
    }


def _pooled(errors: dict[str, Floats], resampled: Resampled) -> dict[str, Any]:
    """Return skill over every baseline, all series together."""
    own = errors[MODEL].mean(axis=1)[:, None]
    return {
        name: figures.skills(own, errors[name].mean(axis=1)[:, None], resampled)[0]
        for name in NAMES
    }


def _test_of(own: Floats, other: Floats, horizon: int) -> dict[str, Any]:
    found = diebold_mariano(own, other, horizon=horizon)
    return {
        "statistic": figures.number(found.statistic),
        "p_value": found.p_value,
        "lags": found.lags,
    }


def _by_series(
    errors: dict[str, Floats], judged: Judged, resampled: Resampled
) -> dict[str, dict[str, Any]]:
    """Return skill and tests of every series, and whether it passes the gate."""
    skill = {name: figures.skills(errors[MODEL], errors[name], resampled) for name in GATE}
    tests = {
        name: [
            _test_of(errors[MODEL][:, row], errors[name][:, row], judged.horizon)
            for row in range(len(judged.panel.series))
        ]
        for name in GATE
    }
    # A series passes only against both: the larger of its two p-values stands for it.
    worst = [
        max(tests[name][row]["p_value"] for name in GATE) for row in range(len(judged.panel.series))
    ]
    found = {}
    for row, (series, adjusted) in enumerate(zip(judged.panel.series, holm(worst), strict=True)):
        lowest = [skill[name][row]["lower"] for name in GATE]
        found[series] = {
            "skill": {name: skill[name][row] for name in GATE},
            "diebold_mariano": {name: tests[name][row] for name in GATE},
            "p_value_holm": adjusted,
            "is_passed": adjusted < ALPHA and all(low is not None and low > 0.0 for low in lowest),
        }
    return found


def _by_step(made: Predictions) -> dict[str, Any]:
    """Return skill over the gate's baselines at every step."""
    own = ((made.truths - made.forecasts[MODEL]) ** 2).mean(axis=(0, 1))
    found: dict[str, Any] = {}
    for name in GATE:
        other = ((made.truths - made.forecasts[name]) ** 2).mean(axis=(0, 1))
        found[name] = [
            figures.number(value) for value in (1.0 - figures.ratio(own, other)).tolist()
        ]
    return found


def _trading(
    made: Predictions, judged: Judged, evaluation: EvaluationConfig, resampled: Resampled
) -> dict[str, Any]:
    if judged.values != "log":
        return {"reason": "values of any sign have no returns"}
    return figures.trading(
        made,
        judged.panel.values.T,
        judged.panel.ts_close_ns,
        cost_bps=evaluation.cost_bps,
        resampled=resampled,
    )


def verdict(card: dict[str, Any]) -> str:
    """Return what a card says, in one plain sentence."""
    test, gate, total = card["test"], card["gate"], len(card["series"])
    passed = gate["passed"]
    labels = f" ({', '.join(card['labels'])})" if card["labels"] else ""
    where = (
        f"On {total} series of {test['data']}{labels}, {test['from']} to "
        f"{test['to']}, {card['horizon']} "
        f"{'bars' if card['horizon'] > 1 else 'bar'} ahead"
    )
    skill = card["skill"]
    size = " and ".join(f"{_skill(skill[name])} over {name}" for name in GATE)
    if not passed:
        return (
            f"{where}, {MODEL} beats {' and '.join(GATE)} for no series by more than luck explains "
            f"(skill {size}): forecasts come from {gate['baseline']}."
        )
    named = ", ".join(passed[:_NAMED_MAX]) + (" and others" if len(passed) > _NAMED_MAX else "")
    rest = "" if len(passed) == total else f"; the others come from {gate['baseline']}"
    return (
        f"{where}, {MODEL} beats {' and '.join(GATE)} for {len(passed)} of {total} series "
        f"({named}; skill over all {size}): these forecasts come from {MODEL}{rest}."
    )


def _skill(found: dict[str, Any]) -> str:
    if found["value"] is None or found["lower"] is None:
        return "undefined"
    value, lower, upper = (100.0 * found[name] for name in ("value", "lower", "upper"))
    return f"{value:+.2f} % [{lower:+.2f}, {upper:+.2f}]"
