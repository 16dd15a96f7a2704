import numpy as np
import pytest

from neural_trader import load
from neural_trader.core import DataError
from neural_trader.forecast import panel_of
from neural_trader.forecast.windows import (
    origins,
    targets_at,
    transformed,
    typical_change,
    windows_at,
)
from tests.made_panels import panel, random_walk


def test_a_panel_of_bars_has_their_common_closes_and_labels() -> None:
    bars = load("sp500-closes", symbols=["KO", "PEP", "JNJ"])
    found = panel_of(bars, ("PEP", "KO"))
    assert found.series == ("PEP", "KO")
    assert np.array_equal(found.values[:, 1], bars["KO"].close)
    assert found.labels == ("survivors",)
    assert (found.date(0), found.date(-1)) == ("1990-01-02", "2022-12-28")
    assert found.sha256 != panel_of(bars, ("KO", "PEP")).sha256
    with pytest.raises(DataError, match="did you mean KO"):
        panel_of(bars, ("KOO",))
    with pytest.raises(DataError, match="'KO' stands twice"):
        panel_of(bars, ("KO", "KO"))


def test_values_that_cannot_be_trained_on_are_refused_with_their_place() -> None:
    good = random_walk().values

    def spoiled(value: float, column: int = 1) -> np.ndarray:
        wrong = good.copy()
        wrong[3, column] = value
        return wrong

    for value, words in (
        (np.nan, "S1 is nan on 1997-05-22"),
        (np.inf, "S1 is inf on 1997-05-22"),
        (0.0, "S1 is 0 on 1997-05-22; expected a positive number"),
        (-2.0, "values='level'"),
    ):
        with pytest.raises(DataError, match=words):
            transformed(panel(spoiled(value)), "log", bars_min=10)
    assert transformed(panel(spoiled(-2.0)), "level", bars_min=10)[1, 3] == -2.0
    still = good.copy()
    still[:, 0] = 7.0
    with pytest.raises(DataError, match="S0 is 7 throughout"):
        transformed(panel(still), "log", bars_min=10)
    with pytest.raises(DataError, match=r"500 common bars .* need 501"):
        transformed(panel(good), "log", bars_min=501)


def test_windows_and_targets_meet_at_their_origin() -> None:
    values = np.arange(40.0).reshape(2, 20)
    at = origins(4, 3, first=10, stop=20)
    assert at.tolist() == list(range(9, 17))
    assert windows_at(values, at, 4)[0, 1].tolist() == [26.0, 27.0, 28.0, 29.0]
    assert targets_at(values, at, 3)[0, 1].tolist() == [30.0, 31.0, 32.0]
    assert targets_at(values, at, 3)[-1, 0].tolist() == [17.0, 18.0, 19.0]
    # The first window begins with the first bar.
    assert origins(4, 3, first=0, stop=20)[0] == 3
    assert len(origins(4, 3, first=10, stop=12)) == 0


def test_the_size_of_a_change_is_that_of_all_steps() -> None:
    values = np.array([[0.0, 1.0, 3.0, 2.0]])
    assert typical_change(values, 1) == pytest.approx(np.sqrt((1 + 4 + 1) / 3))
    assert typical_change(values, 2) == pytest.approx(np.sqrt((2.0 + 5.0) / 2))
