from pathlib import Path

import pytest
from msgspec.structs import replace

from neural_trader.core import DataError
from neural_trader.forecast import EvaluationConfig, NHiTSConfig, count_trials, record_trial
from neural_trader.forecast.trials import LEDGER
from tests.made_forecasts import made_artefact
from tests.made_panels import JUDGE, SMALL, random_walk


def test_trainings_on_one_test_are_counted_by_what_differs(tmp_path: Path) -> None:
    panel, folder = random_walk(), tmp_path / "model"

    def record(config: NHiTSConfig = SMALL, sha256: str = panel.sha256) -> None:
        made = made_artefact()
        given = made.provenance._replace(data_sha256=sha256)
        record_trial(folder, made._replace(config=config, provenance=given), JUDGE)

    def count(config: NHiTSConfig = SMALL, judge: EvaluationConfig = JUDGE) -> int:
        return int(count_trials(folder, panel, config, judge)["count"])

    assert count() == 1
    record()
    # The same again is no new trial; a wider network on the same test is.
    assert count() == 1
    assert count(replace(SMALL, width=99)) == 2
    record(replace(SMALL, width=99))
    record(replace(SMALL, seed=7), sha256="other data")
    assert count() == 2
    assert count(replace(SMALL, seed=7)) == 3
    assert count(judge=replace(JUDGE, test_start="1998-01-01")) == 1
    assert [path.name for path in tmp_path.iterdir()] == [LEDGER]


def test_a_damaged_ledger_is_told_by_its_line(tmp_path: Path) -> None:
    record_trial(tmp_path / "model", made_artefact(), JUDGE)
    with (tmp_path / LEDGER).open("a") as file:
        file.write("{broken\n")
    with pytest.raises(DataError, match=r"line 2 of .* is damaged"):
        count_trials(tmp_path / "model", random_walk(), SMALL, JUDGE)
    with pytest.raises(DataError, match="cannot write"):
        record_trial(tmp_path / "none" / "model", made_artefact(), JUDGE)
