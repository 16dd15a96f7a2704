from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from neural_trader.bench.compare import (
    FASTER,
    NO_RATIO,
    SAME,
    SLOWER,
    TOO_FEW,
    check_judged,
    compare,
    read_report,
    row_key,
)
from neural_trader.bench.rows import Report, Row
from neural_trader.core import BenchError, ConfigError, DataError

MACHINE = {"processor": "P", "cores": 2, "memory_gb": 8.0, "system": "L", "python": "CPython 3.11"}


def make_row(samples: list[float], unit: str = "us", **params: Any) -> Row:
    value = float(np.median(samples)) if samples else None
    return Row(
        case="c", params={"quantity": "time"} | params, value=value, unit=unit, samples=samples
    )


def make_report(*rows: Row, machine: dict[str, Any] | None = None, **told: Any) -> Report:
    provenance = {"version": "1", "config": {"rounds": 5, "capital": 1.0}, "data_hash": "x"} | told
    return Report(machine=machine or MACHINE, provenance=provenance, rows=list(rows))


def around(middle: float) -> list[float]:
    return [middle * part for part in (0.995, 0.998, 1.0, 1.002, 1.005)]


def verdict(a: Row, b: Row) -> str:
    (change,) = compare(make_report(a), make_report(b)).changes
    return change.verdict


def test_a_row_that_takes_more_is_slower() -> None:
    (change,) = compare(
        make_report(make_row(around(10))), make_report(make_row(around(15)))
    ).changes
    assert change.verdict == SLOWER
    assert change.ratio == pytest.approx(1.5)
    assert change.low is not None
    assert change.high is not None
    assert change.low < 1.5 < change.high


def test_a_row_that_takes_less_is_faster() -> None:
    assert verdict(make_row(around(10)), make_row(around(8))) == FASTER


@pytest.mark.parametrize("unit", ["orders/s", "x"])
def test_a_row_of_which_more_is_better_is_turned(unit: str) -> None:
    assert verdict(make_row(around(10), unit), make_row(around(15), unit)) == FASTER
    assert verdict(make_row(around(10), unit), make_row(around(8), unit)) == SLOWER


def test_a_change_within_the_noise_is_none() -> None:
    assert verdict(make_row(around(10)), make_row(around(10))) == SAME
    assert verdict(make_row(around(10)), make_row(around(10.2))) == SAME
    wide = [8.0, 9.0, 10.0, 11.0, 12.0]
    assert verdict(make_row(wide), make_row([one * 1.05 for one in wide])) == SAME


def test_few_rounds_give_no_verdict() -> None:
    assert verdict(make_row([1.0, 1.0]), make_row([9.0, 9.0, 9.0])) == TOO_FEW
    assert verdict(make_row([1.0]), make_row([9.0])) == TOO_FEW


def test_what_was_not_measured_or_is_zero_has_no_ratio() -> None:
    assert verdict(make_row([]), make_row(around(1))) == NO_RATIO
    assert verdict(make_row([0.0, 0.0, 0.0]), make_row(around(1))) == NO_RATIO
    assert verdict(make_row(around(1), "us"), make_row(around(1), "ms")) == NO_RATIO


def test_a_row_is_the_same_under_another_version_or_target() -> None:
    one = make_row(around(1), version="1", target=3.0, work="words", floor_ratio=2.0)
    other = make_row(around(1), version="2", target=None, work="others", floor_ratio=9.0)
    assert row_key(one) == row_key(other)
    assert row_key(one) != row_key(make_row(around(1), engine="numpy"))


def test_rows_of_one_report_alone_are_named() -> None:
    one, other = make_row(around(1), engine="a"), make_row(around(1), engine="b")
    found = compare(make_report(one), make_report(other))
    assert (found.changes, found.only_a, found.only_b) == ([], [row_key(one)], [row_key(other)])
    with pytest.raises(BenchError, match="no row"):
        check_judged(found)


@pytest.mark.parametrize("name", ["processor", "cores", "memory_gb", "system", "python"])
def test_another_machine_is_refused_by_name(name: str) -> None:
    other = make_report(machine=MACHINE | {name: 999})
    with pytest.raises(ConfigError, match=name):
        compare(make_report(), other)


def test_other_data_or_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="data_hash"):
        compare(make_report(), make_report(data_hash="y"))
    with pytest.raises(ConfigError, match="config capital"):
        compare(make_report(), make_report(config={"rounds": 5, "capital": 2.0}))


def test_another_load_version_commit_or_number_of_rounds_is_no_obstacle() -> None:
    other = make_report(
        machine=MACHINE | {"load_1min": 9.0, "memory_gb": 8.1},
        version="2",
        commit="abc",
        config={"rounds": 9, "capital": 1.0},
    )
    assert compare(make_report(), other).changes == []


def test_a_regression_is_beyond_the_margin_at_its_lower_end() -> None:
    found = compare(make_report(make_row(around(10))), make_report(make_row(around(15))))
    assert len(found.regressions(1.25)) == 1
    assert found.regressions(1.5) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"rows": 1}', b"\xff\xfe"])
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.json is no report"):
        read_report(file)


def test_a_report_that_is_not_there_or_has_a_row_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        read_report(tmp_path / "none.json")
    file = tmp_path / "twice.json"
    file.write_bytes(msgspec.json.encode(make_report(make_row([1.0]), make_row([2.0]))))
    with pytest.raises(DataError, match="twice"):
        read_report(file)
