import math
from pathlib import Path

import pytest

import neural_trader as nt
from neural_trader.core.sessions import session_date
from neural_trader.portfolio import OLDER_NAMES
from neural_trader.reports import formats, trades
from neural_trader.reports.metric_words import GROUPS
from neural_trader.reports.page import render
from tests.reported import AWKWARD, CASES, run_case
from tests.unit.reports.pages import Page

DASH = "\u2013"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
EVERY = pytest.mark.parametrize("name", CASES)


def page_of(name: str) -> Page:
    return Page(render(run_case(name)))


@EVERY
def test_a_page_is_small_whatever_the_run(name: str, tmp_path: Path) -> None:
    path = nt.report(run_case(name), tmp_path / "report.html")
    assert 60_000 < path.stat().st_size < 1_000_000


def test_a_run_that_trades_on_every_other_bar_stays_small(tmp_path: Path) -> None:
    bars = run_case("long").bars
    restless = nt.backtest(nt.SmaCross("NEAR", fast=1, slow=2, gross=1_000), bars)
    assert restless.trades > 100_000
    assert nt.report(restless, tmp_path / "report.html").stat().st_size < 1_000_000


@EVERY
def test_a_page_asks_the_network_for_nothing(name: str) -> None:
    text = render(run_case(name))
    page = Page(text)
    policies = [a["content"] for tag, a in page.elements if tag == "meta" and "http-equiv" in a]
    assert policies == [POLICY]
    loads = {"src", "href", "srcset", "data", "action", "poster"}
    assert [(tag, a) for tag, a in page.elements if loads & set(a)] == []
    assert "@import" not in text
    assert "url(" not in text


@EVERY
def test_elements_nest_and_tables_can_be_read_aloud(name: str) -> None:
    page = page_of(name)
    assert dict(page.elements)["html"] == {"lang": "en"}
    assert all(page.tables), "a table without a caption"
    heads = [attributes for tag, attributes in page.elements if tag == "th"]
    assert heads
    assert all(attributes.get("scope") in ("row", "col") for attributes in heads)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"long"}))
def test_the_same_run_is_the_same_bytes(name: str, tmp_path: Path) -> None:
    first = nt.report(run_case(name), tmp_path / "first.html").read_bytes()
    assert nt.report(CASES[name](), tmp_path / "again.html").read_bytes() == first


def test_a_result_that_was_saved_gives_the_same_page(tmp_path: Path) -> None:
    result = run_case("pairs of one year")
    loaded = nt.load_result(result.save(tmp_path / "run.ntr"))
    assert render(loaded) == render(result)


@EVERY
def test_every_metric_stands_there_with_its_reason(name: str) -> None:
    result, page = run_case(name), page_of(name)
    titles = (*GROUPS, "Round trips", "Costs and exposure")
    shown = {row[0]: row[1] for title in titles for row in page.tables.get(title, [])[1:]}
    assert set(shown) == set(result.metrics) - set(OLDER_NAMES)
    assert shown["sharpe"].split()[0] == formats.number(result.metrics["sharpe"], 3)
    assert shown["net_pnl"].strip() == formats.number(result.metrics["net_pnl"])
    for metric, text in shown.items():
        value = result.metrics[metric]
        reason = result.summary.undefined.get(metric, "")
        assert text.startswith(DASH) == math.isnan(value), metric
        assert reason in text


@EVERY
def test_every_round_trip_stands_there(name: str) -> None:
    result, page = run_case(name), page_of(name)
    if not result.trips:
        assert "No entry was filled." in page.texts["section"][3]
        return
    head, *rows = page.tables["Round trips, oldest first"]
    shown = result.trips[-trades.ROWS_MAX :]
    assert len(rows) == len(shown)
    assert all(len(row) == len(head) for row in rows)
    places = {label: place for place, label in enumerate(head)}
    stamps = result.window.ts_close_ns
    for number, (row, trip) in enumerate(
        zip(rows, shown, strict=True), len(result.trips) - len(shown) + 1
    ):
        assert row[0] == str(number)
        assert row[places["entry"]] == str(session_date(stamps[trip.entry_bar]))
        out = DASH if trip.is_open else str(session_date(stamps[trip.exit_bar]))
        assert row[places["exit"]] == out
        assert row[places["side"]] == ("long" if trip.side > 0 else "short")
        assert row[places["P&L at entry"]] == formats.number(trip.pnl_entry)
        assert row[places["gross P&L"]] == formats.number(trip.gross_pnl)
        assert row[places["costs"]] == formats.number(trip.fees + trip.slippage)
        assert row[places["P&L at exit"]] == formats.number(trip.pnl)


def test_signals_of_round_trips_are_those_of_the_decisions() -> None:
    result, page = run_case("pairs"), page_of("pairs")
    head, *rows = page.tables["Round trips, oldest first"]
    columns = result.columns("round_trips")
    for signal, words in (("z_score", "z"), ("hedge_ratio", "hedge ratio")):
        for moment in ("entry", "exit"):
            place = head.index(f"{words} at {moment}")
            expected = [formats.number(value) for value in columns[f"{signal}_{moment}"].tolist()]
            assert [row[place] for row in rows] == expected


def test_converged_but_lost_is_told_in_words() -> None:
    result, page = run_case("pairs"), page_of("pairs")
    _, *rows = page.tables["Round trips, oldest first"]
    outcomes = [row[-1] for row in rows]
    lost = [words for words in outcomes if words.startswith("converged, but lost")]
    assert len(lost) == result.metrics["trade_converged_but_lost"]
    gross = [words for words in lost if words == "converged, but lost"]
    assert len(gross) == result.metrics["trade_converged_but_lost_gross"]
    flagged = [attributes for tag, attributes in page.elements if tag == "tr" and attributes]
    assert flagged == [{"class": "converged"}] * len(lost)
    assert "hedge ratio that moves every bar" in page.texts["main"][0]


def test_a_position_that_is_open_says_so() -> None:
    _, *rows = page_of("pairs, open at the end").tables["Round trips, oldest first"]
    assert rows[-1][-1] == "open, at the last close"
    _, *rows = page_of("sma-cross, open at the end").tables["Round trips, oldest first"]
    assert {row[-1] for row in rows[:-1]} == {"gained", "lost", "lost to costs"}


@EVERY
def test_notes_conventions_costs_and_provenance_stand_there(name: str) -> None:
    result, page = run_case(name), page_of(name)
    assert page.texts["li"] == result.notes
    assert dict(page.tables["Conventions"]) == result.summary.conventions
    provenance = dict(page.tables["Provenance"])
    assert provenance["config hash"] == result.provenance["config_hash"]
    assert provenance["data hash"] == result.provenance["data_hash"]
    costs = page.tables["From gross to net"]
    assert costs[0][1] == formats.number(result.metrics["gross_pnl"])
    assert costs[1][1] == formats.number(-result.metrics["fees"])
    assert costs[-1] == ["Net P&L", formats.number(result.metrics["net_pnl"])]


def test_entries_that_were_not_taken_are_counted_by_reason() -> None:
    assert run_case("pairs").skipped["hedge_ratio_not_positive"] == 15
    skipped = page_of("pairs").tables["Entries not taken, in bars"]
    assert skipped == [["the hedge ratio was not above zero", "15"]]
    none = page_of("no trade").tables["Entries not taken, in bars"]
    assert none == [["no due entry was skipped", "0"]]


def test_months_and_years_are_those_of_the_equity() -> None:
    result = run_case("pairs of one year")
    _, *rows = page_of("pairs of one year").tables[
        "Returns by month and year, percent; a dot: no change"
    ]
    ((year, *months, total),) = rows
    assert (year, total) == ("2021", formats.number(result.metrics["total_return"] * 100, 1))
    # The warm-up lasts until the end of June.
    assert months[:6] == ["·"] * 6
    assert months[6] == "\u22120.3"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("pairs", "The charts show every bar. Drag"),
        ("long", "of 500,000 bars, the lowest and highest of every stretch among them"),
        ("long", "of 13,482 round trips, the best and worst of every stretch among them"),
        ("long", "These are the last 400 of 13,482 round trips; all of them are in"),
    ],
)
def test_what_is_left_out_is_said(name: str, sentence: str) -> None:
    assert sentence in page_of(name).texts["main"][0]


def test_names_from_users_stay_text() -> None:
    text = render(run_case("awkward names"))
    page = Page(text)
    assert page.texts["h1"] == [" / ".join(AWKWARD)]
    assert page.texts["title"][0].startswith(f"pairs {' / '.join(AWKWARD)}, 2019-01-02")
    assert text.count("</script>") == len(page.scripts) == 3
    assert "<!--" not in page.scripts[0]
    assert page.texts.get("b") is None
    labels = [one["label"] for one in page.charts["charts"][0]["series"]]
    assert labels == list(AWKWARD)
    assert f"qty {AWKWARD[0]}" in page.tables["Round trips, oldest first"][0]


def test_a_failure_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def refuse(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(nt.DataError, match="No space left on device"):
        nt.report(run_case("no trade"), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    assert nt.report(run_case("no trade"), str(path)) == path
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert list(tmp_path.iterdir()) == [path]


def test_paths_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    result = run_case("no trade")
    with pytest.raises(nt.DataError, match="is a folder; give a file name in it"):
        nt.report(result, tmp_path)
    with pytest.raises(nt.DataError, match="choose a folder that exists"):
        nt.report(result, tmp_path / "missing" / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_home_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert nt.report(run_case("no trade"), "~/report.html") == tmp_path / "report.html"
    assert (tmp_path / "report.html").exists()


def test_only_results_are_reported(tmp_path: Path) -> None:
    with pytest.raises(nt.ConfigError, match=r"result is a dict; expected what nt\.backtest"):
        nt.report({}, tmp_path / "report.html")  # type: ignore[arg-type]
