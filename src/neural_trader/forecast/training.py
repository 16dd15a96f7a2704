"""``nt.forecast.train`` and ``nt.forecast.evaluate``: from bars to a forecast that was judged."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from neural_trader.core.bars import Bars
from neural_trader.core.errors import ConfigError, DataError
from neural_trader.core.sessions import first_ns, session_day
from neural_trader.core.version import VERSION
from neural_trader.forecast.artefact import MODEL, Artefact, Provenance
from neural_trader.forecast.baselines import fit_baselines
from neural_trader.forecast.card import Judged, make_card
from neural_trader.forecast.config import EvaluationConfig, NHiTSConfig
from neural_trader.forecast.conformal import intervals
from neural_trader.forecast.learning import bars_min
from neural_trader.forecast.predictions import cover, predict
from neural_trader.forecast.walk_forward import Walk, walk
from neural_trader.forecast.windows import Floats, Panel, origins, panel_of, transformed

_HISTORY: Final = 90
_FANS_MAX: Final = 12


def train(
    bars: Bars | Panel,
    config: NHiTSConfig,
    evaluation: EvaluationConfig | None = None,
    *,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
    trials: dict[str, Any] | None = None,
) -> Artefact:
    """Train a network, judge it on bars that it has not seen, and train it on all of them.

    Parameters
    ----------
    bars : Bars or Panel
        Closes of all symbols on their common bars, in order of time.
    config : NHiTSConfig
    evaluation : EvaluationConfig, optional
    device : {"auto", "cpu", "cuda"}
    progress : callable, optional
        Called with steps done and steps in all.
    trials : dict, optional
        For the card: how many trainings were judged on this test part. One by default.

    Returns
    -------
    Artefact
        The same bars, configurations and machine give the same bits.

    Raises
    ------
    ConfigError
        PyTorch or the device is missing, or the test is to start where there are no bars.
    DataError
        Too few bars, a price that is missing or not positive, a series that never moves.

    Timing
    ------
    The test part is walked forward: see :func:`neural_trader.forecast.walk_forward.walk`. The
    network of the artefact has then seen every bar up to ``provenance.train_end``: backtests of it
    must begin later.

    Notes
    -----
    Ctrl-C ends the training and keeps the best network so far; the card says so.
    """
    evaluation = evaluation or EvaluationConfig()
    panel = bars if isinstance(bars, Panel) else panel_of(bars)
    values = transformed(panel, config.values, bars_min=bars_min(config))
    walked = walk(panel, values, config, evaluation, device=device, progress=progress)
    judged = Judged(
        panel,
        config.horizon,
        config.values,
        walked.baseline.name,
        evaluation.folds,
        trials or {"count": 1, "counted": "this training alone"},
    )
    card = make_card(walked.predictions, judged, evaluation)
    card["training"] = {
        "fits": walked.fits,
        "is_interrupted": walked.last.is_interrupted,
        "seed": config.seed,
    }
    provenance = Provenance(
        panel.name,
        panel.sha256,
        panel.labels,
        panel.date(0),
        panel.date(walked.learned_until - 1),
        panel.date(len(panel.ts_close_ns) - 1),
        VERSION,
    )
    artefact = Artefact(
        walked.last.network,
        config,
        panel.series,
        walked.last.normalization,
        walked.baseline,
        walked.offsets,
        card,
        provenance,
    )
    card["fan"] = _fan(artefact, panel, values, walked)
    return artefact


def evaluate(
    artefact: Artefact, bars: Bars | Panel, evaluation: EvaluationConfig | None = None
) -> dict[str, Any]:
    """Judge a trained network, as it is, on bars that came after its training.

    Parameters
    ----------
    artefact : Artefact
    bars : Bars or Panel
        With every series that it was trained on; earlier bars fill the first windows.
    evaluation : EvaluationConfig, optional
        Its ``folds`` and ``test_share`` do not matter here; ``test_start`` may leave bars out.

    Returns
    -------
    dict
        A card.

    Raises
    ------
    DataError
        A series is missing, or there are too few bars after the training.
    ConfigError
        The network was imported, and nobody knows what it has seen.
    """
    evaluation = evaluation or EvaluationConfig()
    if not artefact.series:
        message = "this network was imported: what it has seen is not known, so no bars are new"
        raise ConfigError(message)
    config, horizon = artefact.config, artefact.network.horizon
    panel = bars if isinstance(bars, Panel) else panel_of(bars, artefact.series)
    if panel.series != artefact.series:
        message = (
            f"the data have the series {', '.join(panel.series)}; the network was trained on "
            f"{', '.join(artefact.series)}"
        )
        raise DataError(message)
    values = transformed(panel, config.values, bars_min=bars_min(config))
    first = _first_new(panel, artefact.provenance.as_of, evaluation.test_start)
    count = len(panel.ts_close_ns)
    at = origins(config.lookback, horizon, first=first, stop=count)
    if len(at) < 2 * horizon + 2:
        message = (
            f"{panel.name} has {count - first:,} new bars after {artefact.provenance.as_of}, up "
            f"to which the network was made; judging it needs {3 * horizon + 1} or more: load "
            "later bars, or train with an earlier --end"
        )
        raise DataError(message)
    baselines = fit_baselines(values[:, :first], config.lookback, horizon)
    made = predict(values, at, artefact.network, artefact.normalization, baselines=baselines)
    ladders = artefact.offsets
    coverages = tuple(offsets.level for offsets in ladders.get(MODEL, ()))
    covered = {name: cover(made, name, ladder) for name, ladder in ladders.items()}
    judged = Judged(
        panel,
        horizon,
        config.values,
        artefact.baseline.name,
        1,
        {"count": 1, "counted": "this evaluation alone"},
    )
    made = made._replace(covered=covered)
    return make_card(made, judged, replace(evaluation, coverages=coverages))


def _first_new(panel: Panel, as_of: str, test_start: str) -> int:
    """Return the first bar after ``as_of``, or from ``test_start`` on where that is later."""
    after = first_ns(session_day(as_of, option="as_of") + 1)
    if test_start:
        after = max(after, first_ns(session_day(test_start, option="test_start")))
    return int(np.searchsorted(panel.ts_close_ns, after))


def _fan(artefact: Artefact, panel: Panel, values: Floats, walked: Walk) -> dict[str, Any]:
    """Return the forecasts of after the last bar, for the picture on the card."""
    lookback = artefact.network.lookback
    window = values[:, -lookback:]
    extended = np.concatenate([values, np.repeat(values[:, -1:], artefact.network.horizon, 1)], 1)
    at = np.array([values.shape[1] - 1])
    made = predict(
        extended,
        at,
        artefact.network,
        artefact.normalization,
        baselines={walked.baseline.name: walked.baseline},
    )
    found = {}
    for row, series in enumerate(panel.series[:_FANS_MAX]):
        source = artefact.source(series)
        forecast = made.forecasts[source][0, row]
        bands = []
        for offsets in artefact.offsets[source]:
            ends = intervals(forecast, made.volatility[0, row], offsets)
            lower, upper = (_plain(part, artefact.normalization.kind) for part in ends)
            bands.append({"level": offsets.level, "lower": lower, "upper": upper})
        found[series] = {
            "source": source,
            "history": _plain(window[row, -_HISTORY:], artefact.normalization.kind),
            "forecast": _plain(forecast, artefact.normalization.kind),
            "bands": bands,
        }
    return {"as_of": panel.date(len(panel.ts_close_ns) - 1), "series": found}


def _plain(values: Floats, kind: str) -> list[float]:
    made: list[float] = (np.exp(values) if kind == "log" else values).tolist()
    return made
