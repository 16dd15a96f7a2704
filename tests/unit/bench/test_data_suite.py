"""The data bench: answers first, others beside ours, reasons for what was not measured."""

import json
from pathlib import Path
from typing import Any

import pytest

import neural_trader as nt
from neural_trader.bench import (
    choose_data_cases,
    data_fetch,
    data_loopback,
    data_measure,
    data_rows,
    data_suite,
    data_year,
    print_data_report,
    run_data_suite,
)
from neural_trader.bench.data_cases import DATA_CASES, DataCase, Target, find_data_case
from neural_trader.bench.data_measure import Figure, Measured
from neural_trader.bench.portfolio_suite import find_wrong
from neural_trader.core import BenchError
from tests.tidy.tree import ROOT


def case(**engines: Any) -> DataCase:
    return DataCase(
        "made",
        "made up",
        lambda _: None,
        engines,
        "other",
        ("one",),
        {"time": Target(7.0, "x")},
        {"time": 180.0},
    )


def run(made: DataCase, monkeypatch: pytest.MonkeyPatch, **found: Any) -> Any:
    monkeypatch.setattr(data_suite, "_measure", lambda engine, *_: found[engine])
    return run_data_suite([made], rounds=2, step=lambda _: None)


def taken(value: float | None, answer: float, **more: Any) -> dict[str, Any]:
    figure = Figure("time", "ms", value, **more)._asdict()
    return {"figures": [figure], "answer": {"sum": [answer]}}


def test_cases_are_chosen_by_name() -> None:
    assert choose_data_cases([]) == list(DATA_CASES)
    assert [each.name for each in choose_data_cases(["fetch_100", "year_20"])] == [
        "year_20",
        "fetch_100",
    ]
    with pytest.raises(nt.ConfigError, match="case is 'year'; expected one of year_20"):
        choose_data_cases(["year"])
    assert all(next(iter(each.engines)) == "ours" for each in DATA_CASES)
    assert all(each.beside in each.engines for each in DATA_CASES)


def test_a_report_has_ours_beside_pandas(capsys: pytest.CaptureFixture[str]) -> None:
    report = run_data_suite([find_data_case("year_20")], rounds=2, step=lambda _: None)
    rows = {row.params["quantity"]: row for row in report.rows}
    assert list(rows) == [
        f"{part}, {what}"
        for part in ("csv", "parquet")
        for what in ("time", "memory over imports", "without pages of libraries")
    ]
    for row in report.rows:
        assert row.checked
        assert len(row.samples) == 2
        assert row.baseline is not None
    time = rows["csv, time"]
    assert time.value is not None
    assert time.baseline is not None
    assert time.ratio is not None
    assert time.params["target"] == 7.0
    print_data_report(report)
    shown = capsys.readouterr().out
    assert shown.startswith(report.head()[:40])
    assert "csv, time" in shown


def test_features_are_those_of_pandas(tmp_path: Path) -> None:
    data_measure.write_year(tmp_path)
    for part in ("csv", "parquet"):
        ours = data_year.measure_ours(tmp_path, part).answer
        theirs = data_year.measure_pandas(tmp_path, part).answer
        assert set(ours) == set(theirs)
        assert len(ours) == 9
        assert find_wrong(theirs, ours, 1e-9) is None
        assert all(len(values) == 20 * 251 for values in ours.values())


def test_an_answer_that_is_not_ours_prints_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    made = case(ours=None, other=None)
    report = run(made, monkeypatch, ours=taken(2.0, 1.0), other=taken(20.0, 1.0))
    [row] = report.rows
    assert (row.value, row.baseline, row.ratio, row.claim) == (2.0, 20.0, 10.0, 180.0)
    assert row.samples == [2.0, 2.0]
    with pytest.raises(BenchError, match="the answer of other is not ours: sum"):
        run(made, monkeypatch, ours=taken(2.0, 1.0), other=taken(20.0, 1.1))


def test_what_is_missing_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = case(ours=None, other=None)
    gone = {"reason": "not installed: pip install pandas"}
    report = run(made, monkeypatch, ours=taken(2.0, 1.0), other=gone)
    [row] = report.rows
    assert (row.value, row.baseline, row.ratio) == (2.0, None, None)
    assert row.reason == "nothing beside it: not installed: pip install pandas"
    [row] = run(made, monkeypatch, ours=gone, other=taken(2.0, 1.0)).rows
    assert (row.value, row.reason) == (None, gone["reason"])
    no_memory = taken(None, 1.0, reason="there is no /proc")
    [row] = run(made, monkeypatch, ours=no_memory, other=taken(2.0, 1.0)).rows
    assert (row.value, row.reason) == (None, "there is no /proc")
    print_data_report(report)
    assert "nothing beside it" in capsys.readouterr().out


def test_a_limit_stands_beside_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    made = case(ours=None, other=None, limit=None)
    found = {"ours": taken(3.0, 1.0), "other": taken(6.0, 1.0)}
    limit = taken(2.0, 0.0) | {"answer": {}}
    [row] = run(made, monkeypatch, **found, limit=limit).rows
    assert row.limit == 2.0
    found["ours"] = taken(3.0, 1.0, limit=1.5)
    [row] = run(case(ours=None, other=None), monkeypatch, **found).rows
    assert row.limit == 1.5


def test_rows_and_sharing_answer_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The large cases on a small file, in this process and its workers."""
    monkeypatch.setattr(data_measure, "_TICK_S", 0.0)
    monkeypatch.setattr("neural_trader.data.paths.LARGE_BYTES", 0)
    monkeypatch.setenv("NEURAL_TRADER_CACHE", str(tmp_path / "elsewhere"))
    data_rows.write_both(tmp_path, 20_000)
    for name in ("rows_5m", "zero_copy"):
        made = find_data_case(name)
        for part in made.parts:
            ours = made.engines["ours"](tmp_path, part)
            theirs = made.engines[made.beside](tmp_path, part)
            assert find_wrong(theirs.answer, ours.answer, made.tolerance) is None
            assert {f.quantity for f in theirs.figures} <= {f.quantity for f in ours.figures}
    assert list((tmp_path / "cache").glob("v1/*.bars"))
    assert not (tmp_path / "elsewhere").exists()


def test_a_hundred_symbols_arrive_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aiohttp")
    monkeypatch.setattr(data_fetch, "SYMBOLS", ("A", "B", "C"))
    monkeypatch.setattr(data_fetch, "DELAY_MS", 1)
    at_once = data_fetch.measure_at_once(Path(), "")
    in_turn = data_fetch.measure_in_turn(Path(), "")
    assert at_once.answer == in_turn.answer
    assert at_once.answer["bars"] == [250.0] * 3
    assert len(data_loopback.make_bars()) == 250
    with pytest.raises(BenchError, match="2 of 3 symbols arrived"):
        data_fetch._check({"A": 1, "B": 2}, 3)


def test_a_child_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from neural_trader.bench import data_child

    def missing(*_: Any) -> Measured:
        message = "none"
        raise ImportError(message, name="pandas")

    monkeypatch.setattr(data_child, "find_data_case", lambda _: case(ours=missing))
    monkeypatch.setattr("sys.argv", ["x", "ours", "made", "one", "."])
    data_child.main()
    assert json.loads(capsys.readouterr().out) == {"reason": "not installed: pip install pandas"}


def test_a_failing_child_is_an_error() -> None:
    with pytest.raises(BenchError, match=r"year_20, ours: .*/nowhere/year\.csv is not there"):
        data_suite._measure("ours", "year_20", "csv", Path("/nowhere"))


def test_every_case_stands_in_the_documents() -> None:
    for page in ("docs/benchmarks.md", "docs/cli.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert all(f"`{name}`" in text for name in data_suite.DATA_NAMES)
