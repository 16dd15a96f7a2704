"""The page of a tear sheet says what the metrics say, of whatever returns."""

import json
from pathlib import Path

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core.sessions import session_date
from neural_trader.portfolio import METRICS, find_drawdowns, measure
from neural_trader.reports import Terms, tear_sheet
from neural_trader.reports.metric_words import GROUPS, PERCENT, PERIODS, SIGNED, metric_text
from neural_trader.reports.sheet_charts import LINES_MAX, compute_tear_sheet_charts, drawn
from neural_trader.reports.sheet_page import render_tear_sheet
from tests.tear_sheets import AWKWARD, SHEETS, made, normal, sheet_of
from tests.unit.reports.pages import Page, decode, values

EVERY = pytest.mark.parametrize("name", SHEETS)


@EVERY
def test_a_page_is_small_and_asks_for_nothing(name: str, tmp_path: Path) -> None:
    path = nt.report(sheet_of(name), tmp_path / "sheet.html")
    text = path.read_text(encoding="utf-8")
    assert 60_000 < len(text.encode()) < 1_000_000
    page = Page(text)
    assert "default-src 'none'" in str(page.elements)
    loads = {"src", "href", "srcset", "data", "action", "poster"}
    assert [(tag, a) for tag, a in page.elements if loads & set(a)] == []
    assert "url(" not in text
    assert all(page.tables), "a table without a caption"
    assert "nan" not in page.texts["main"][0].lower().split()


@EVERY
def test_the_same_returns_are_the_same_bytes(name: str) -> None:
    assert render_tear_sheet(sheet_of(name)) == render_tear_sheet(sheet_of(name))


@EVERY
def test_charts_are_plain_data_of_one_length(name: str) -> None:
    sheet = sheet_of(name)
    page = compute_tear_sheet_charts(sheet)
    json.dumps(page, allow_nan=False)
    times = decode(page["times"])
    assert (np.diff(times) > 0).all()
    for chart in page["charts"]:
        assert len(chart["series"]) == len(drawn(sheet)) <= LINES_MAX
        for series in chart["series"]:
            assert len(values(series)) == len(times)


@pytest.mark.parametrize("name", ["one series", "months", "all lost", "one return"])
def test_every_metric_of_one_series_stands_there(name: str) -> None:
    sheet, page = sheet_of(name), Page(render_tear_sheet(sheet_of(name)))
    (series,) = sheet.wanted
    figures = sheet.performance.of(series)
    shown = {row[0]: row[1] for title in GROUPS for row in page.tables.get(title, [[""]])[1:]}
    assert shown == {metric: metric_text(metric, value) for metric, value in figures.items()}
    reasons = dict(page.tables["Undefined, and why"])
    assert reasons == sheet.performance.undefined(series)
    assert dict(page.tables["Conventions"]) == sheet.performance.conventions


def test_several_series_stand_side_by_side() -> None:
    sheet, page = sheet_of("late and early"), Page(render_tear_sheet(sheet_of("late and early")))
    head, *rows = page.tables["All metrics"]
    assert head == ["metric", "S0", "S1", "S2"]
    shown = {row[0]: row[1:] for row in rows if len(row) > 1}
    for metric in sheet.performance.metrics:
        column = sheet.performance.column(metric)
        assert shown[metric] == [metric_text(metric, value) for value in column.tolist()]
    compared = {row[0]: row[1:] for row in page.tables["Compared"]}
    assert list(compared) == ["series", "S0", "S1", "S2"]


def test_a_benchmark_is_drawn_dashed_and_measured_too() -> None:
    sheet = sheet_of("one and a benchmark")
    assert sheet.series == ("KO", "JNJ")
    assert sheet.wanted == ("KO",)
    page = compute_tear_sheet_charts(sheet)
    titles = [chart["title"] for chart in page["charts"]]
    assert titles == [
        "Growth",
        "Drawdown",
        "Volatility over 252 periods",
        "Sharpe ratio over 252 periods",
        "Beta over 252 periods",
    ]
    own, other = page["charts"][0]["series"]
    assert "dash" not in own
    assert other["dash"]
    by_itself = measure(
        sheet.column("KO"),
        ts_close_ns=sheet.returns.ts_close_ns,
        benchmark=sheet.column("JNJ"),
        risk_free=0.02,
        confidence=0.99,
    ).of("0")
    found = sheet.performance.of("KO")
    assert by_itself.pop("turnover") != found.pop("turnover")  # both are NaN
    assert found == by_itself
    assert "VaR 99 %" in render_tear_sheet(sheet)


def test_what_is_drawn_is_what_happened() -> None:
    sheet = sheet_of("months")
    page = compute_tear_sheet_charts(sheet)
    growth, fall, volatility, _ = (values(chart["series"][0]) for chart in page["charts"])
    column = sheet.column("S0")
    np.testing.assert_allclose(growth, np.cumprod(1.0 + column), rtol=1e-6)
    assert -fall.min() / 100 == pytest.approx(sheet.performance.of("S0")["max_drawdown"], rel=1e-6)
    wanted = np.std(column[-12:], ddof=1) * 12**0.5 * 100
    assert volatility[-1] == pytest.approx(wanted, rel=1e-6)
    assert np.isnan(volatility[:11]).all()
    assert sheet.window == 12


def test_a_long_run_keeps_its_extremes_and_says_what_it_leaves_out() -> None:
    sheet = sheet_of("a hundred years of many")
    page = compute_tear_sheet_charts(sheet)
    few, all_ = page["bars_shown"]
    assert all_ == 30_000
    growth = np.cumprod(1.0 + sheet.column("S0"))
    line = values(page["charts"][0]["series"][0])
    assert line.max() == pytest.approx(growth.max(), rel=1e-6)
    assert line.min() == pytest.approx(growth.min(), rel=1e-6)
    text = Page(render_tear_sheet(sheet)).texts["main"][0]
    assert f"The charts show {few:,} of 30,000 periods" in text
    assert "Lines are those of 6 of 30 series" in text
    assert drawn(sheet)[-1] == "S29"


def test_drawdowns_are_those_that_were_found() -> None:
    sheet, page = sheet_of("one series"), Page(render_tear_sheet(sheet_of("one series")))
    _, *rows = page.tables["Worst drawdowns of KO"]
    found = find_drawdowns(sheet.column("KO"), top=10)
    stamps = sheet.returns.ts_close_ns
    assert len(rows) == 10
    for row, one in zip(rows, found, strict=True):
        assert row[2] == str(session_date(int(stamps[one.start])))
        assert row[3] == str(session_date(int(stamps[one.trough])))
        end = "not yet" if one.end is None else str(session_date(int(stamps[one.end])))
        assert row[4:6] == [end, f"{one.length:,}"]


def test_names_from_users_stay_text() -> None:
    text = render_tear_sheet(sheet_of("names to escape"))
    page = Page(text)
    assert page.texts["h1"] == [AWKWARD[0]]
    assert text.count("</script>") == len(page.scripts) == 3
    assert page.texts.get("b") is None


def test_what_a_reader_must_know_is_said() -> None:
    prices = Page(render_tear_sheet(sheet_of("one series"))).texts["li"]
    assert prices[0].startswith("survivors")
    short = " ".join(Page(render_tear_sheet(sheet_of("one return"))).texts["li"])
    assert "one time does not tell how many periods make a year" in short
    never = " ".join(Page(render_tear_sheet(sheet_of("never there"))).texts["li"])
    assert "S0: no returns" in never


def test_returns_are_reported_as_they_come(tmp_path: Path) -> None:
    returns = normal(50, 2)
    path = nt.report(returns, tmp_path / "sheet.html")
    assert path.read_text(encoding="utf-8") == render_tear_sheet(tear_sheet(returns))


def test_what_does_not_fit_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    returns = normal(50, 2)
    with pytest.raises(nt.ConfigError, match="made has no series 'X'; it has S0, S1"):
        tear_sheet(returns, series=("X",))
    with pytest.raises(nt.ConfigError, match="no series 'X'"):
        tear_sheet(returns, benchmark="X")
    with pytest.raises(nt.ConfigError, match="confidence is 2"):
        tear_sheet(returns, terms=Terms(confidence=2.0))
    holed = made(np.array([[0.1], [np.nan], [0.1]]))
    with pytest.raises(nt.DataError, match=r"no return on 2000-01-02 \(row 2\), between its first"):
        nt.report(holed, tmp_path / "sheet.html")
    assert list(tmp_path.iterdir()) == []


def test_every_metric_stands_in_one_group() -> None:
    listed = [name for names in GROUPS.values() for name in names]
    assert sorted(listed) == sorted(METRICS)
    assert set(METRICS) >= PERCENT | PERIODS | SIGNED


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("sharpe", float("nan"), "\u2013"),
        ("cagr", float("inf"), "∞"),
        ("treynor", float("-inf"), "\u2212∞"),
        ("mean", 0.000123, "0.0123\u00a0%"),
        ("recovery", 1234.0, "1,234\u00a0periods"),
        ("worst", -0.05, "\u22125.00\u00a0%"),
        ("beta", 1.23456, "1.235"),
    ],
)
def test_how_a_metric_is_written(name: str, value: float, text: str) -> None:
    assert metric_text(name, value) == text
