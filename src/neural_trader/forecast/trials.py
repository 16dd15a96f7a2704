"""How many trainings were judged on the same test part: who tries often finds luck.

A line of ``forecast-trials.jsonl`` beside the artefacts for every training, so that models of one
folder count together.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import msgspec

from neural_trader.core.errors import DataError
from neural_trader.forecast.artefact import Artefact
from neural_trader.forecast.config import EvaluationConfig, NHiTSConfig
from neural_trader.forecast.windows import Panel

LEDGER: Final = "forecast-trials.jsonl"


class _Trial(msgspec.Struct, frozen=True):
    data_sha256: str
    test_start: str
    config: str


def count_trials(
    folder: Path, panel: Panel, config: NHiTSConfig, evaluation: EvaluationConfig
) -> dict[str, Any]:
    """Return how many different trainings the ledger has of the same test, with the one to come.

    Parameters
    ----------
    folder : Path
        Where the artefact goes; the ledger stands beside it.
    panel : Panel
    config : NHiTSConfig
    evaluation : EvaluationConfig

    Returns
    -------
    dict
        ``count``, and ``counted``, which says what.

    Raises
    ------
    DataError
        The ledger is damaged or cannot be read.
    """
    path = folder.absolute().parent / LEDGER
    mine = _Trial(panel.sha256, _test_of(evaluation), _hash(config))
    found = {
        trial.config
        for trial in _read(path)
        if (trial.data_sha256, trial.test_start) == (mine.data_sha256, mine.test_start)
    }
    return {
        "count": len(found | {mine.config}),
        "counted": f"different settings on the same data and test part, by {LEDGER}",
    }


def record_trial(folder: Path, artefact: Artefact, evaluation: EvaluationConfig) -> None:
    """Write a training down beside its artefact.

    Raises
    ------
    DataError
        The ledger cannot be written.
    """
    path = folder.absolute().parent / LEDGER
    trial = _Trial(artefact.provenance.data_sha256, _test_of(evaluation), _hash(artefact.config))
    try:
        with path.open("ab") as file:
            file.write(msgspec.json.encode(trial) + b"\n")
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}"
        raise DataError(message) from None


def _read(path: Path) -> list[_Trial]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise DataError(message) from None
    found = []
    for place, line in enumerate(lines, start=1):
        try:
            found.append(msgspec.json.decode(line, type=_Trial))
        except (msgspec.DecodeError, UnicodeDecodeError):
            message = f"line {place} of {path} is damaged; mend or remove it, or move the file away"
            raise DataError(message) from None
    return found


def _test_of(evaluation: EvaluationConfig) -> str:
    return evaluation.test_start or f"last {evaluation.test_share:g}"


def _hash(config: NHiTSConfig) -> str:
    text = json.dumps(msgspec.to_builtins(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
