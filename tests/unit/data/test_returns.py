"""Returns from files and from closes."""

from pathlib import Path

import numpy as np
import pytest

from neural_trader.core import DataError
from neural_trader.data import load, load_returns, returns_of


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_file_of_returns(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "date,fund,index", "2024-01-31,0.01,0.02", "2024-02-29,,-0.5")
    found = load_returns(path)
    assert found.series == ("fund", "index")
    assert found.name == "r.csv"
    assert len(found.sha256) == 64
    np.testing.assert_array_equal(found.table, [[0.01, 0.02], [np.nan, -0.5]])
    assert np.diff(found.ts_close_ns).tolist() == [29 * 86_400 * 10**9]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["date,a", "2024-01-02,x"], "'x'; expected a return"),
        (["date,a", "2024-01-02,-1.5"], "expected a return"),
        (["date,a", "2024-01-02,inf"], "expected a return"),
        (["date,a", "2024-01-03,0.1", "2024-01-02,0.1"], "does not rise"),
        (["date", "2024-01-02"], "one of returns a series"),
        (["a,b", "0.1,0.2"], "one of times"),
    ],
)
def test_what_is_no_file_of_returns_is_refused(
    tmp_path: Path, lines: list[str], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        load_returns(write(tmp_path / "r.csv", *lines))


def test_closes_become_returns() -> None:
    bars = load("sp500-closes", symbols=("KO", "PEP"))
    found = returns_of(bars)
    ko = bars["KO"].close
    assert found.series == ("KO", "PEP")
    np.testing.assert_array_equal(found.table[:, 0], ko[1:] / ko[:-1] - 1.0)
    assert "survivors" in found.labels
    assert len(found.ts_close_ns) == len(ko) - 1


def test_one_close_makes_no_return() -> None:
    bars = load("sp500-closes", symbols=("KO",), start="2020-01-02", end="2020-01-02")
    with pytest.raises(DataError, match="need 2"):
        returns_of(bars)
