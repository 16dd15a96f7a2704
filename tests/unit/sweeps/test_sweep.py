"""What a sweep takes, refuses, keeps and reports."""

import datetime as dt
import functools
import json
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting import read_grid_text
from neural_trader.core import StrategyError
from tests.own_strategies import Breaks, Dies, Hidden, Misses, Trend

BARS = nt.load("sp500-closes", symbols=["KO", "PEP"])
PAIRS = functools.partial(nt.Pairs, "KO", "PEP")
GRID: dict[str, list[Any]] = {"lookback": [20, 40, 60], "entry": [1.5, 2.0]}


class TestGrids:
    @pytest.mark.parametrize(
        ("text", "values"),
        [
            ("exit=0.1:1.0:0.1", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)),
            ("lookback=20:110:30", (20, 50, 80, 110)),
            ("lookback=20:100:30", (20, 50, 80)),
            ("entry=1.25:2:0.25", (1.25, 1.5, 1.75, 2.0)),
            ("exit=-0.2:0.2:0.2", (-0.2, 0.0, 0.2)),
            ("n=5:5:1", (5,)),
            ("lookback=20,60", (20, 60)),
            ("mode=fast,slow", ("fast", "slow")),
            ("gross=1e4,2e4", (10_000, 20_000)),
        ],
    )
    def test_a_range_is_counted_as_a_person_would(self, text: str, values: tuple[Any, ...]) -> None:
        name, found = read_grid_text(text)
        assert name == text.partition("=")[0]
        assert found == values

    @pytest.mark.parametrize("text", ["lookback=20:110:30", "lookback=20,60"])
    def test_whole_numbers_stay_whole(self, text: str) -> None:
        assert all(type(value) is int for value in read_grid_text(text)[1])

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("lookback", "NAME=FIRST:LAST:STEP"),
            ("=1:2:1", "NAME=FIRST:LAST:STEP"),
            ("a=1:2", "three numbers"),
            ("a=1:2:x", "three numbers"),
            ("a=2:1:1", "reversed"),
            ("a=1:2:0", "above 0"),
            ("a=1:2:-1", "above 0"),
            ("a=1:nan:1", "finite"),
            ("a=0:1e9:1e-9", "at most"),
        ],
    )
    def test_what_is_no_grid(self, text: str, told: str) -> None:
        with pytest.raises(nt.ConfigError, match=told):
            read_grid_text(text)

    @pytest.mark.parametrize(
        "grid",
        [{}, {"lookback": []}, {"lookback": [20, 20]}, {"lookback": "20"}, {"lookback": 20}, [20]],
    )
    def test_what_is_no_grid_of_python_s(self, grid: Any) -> None:
        with pytest.raises(nt.ConfigError, match="grid"):
            nt.sweep(PAIRS, BARS, grid)


class TestArguments:
    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"workers": 0}, "workers"),
            ({"workers": 1.5}, "workers"),
            ({"engine": "cluster"}, "engine"),
            ({"rank_by": "luck"}, "rank_by"),
            ({"resume": True}, "ledger"),
            ({"capital": -1.0}, "capital"),
            ({"split": "yesterday"}, "split"),
            ({"split": "2015-01-01", "end": "2014-01-01"}, "before the end"),
            ({"split": "2031-01-01"}, "nothing is left to judge on"),
            ({"matching": nt.Matching()}, "leave them out"),
        ],
    )
    def test_what_it_refuses(self, given: dict[str, Any], told: str) -> None:
        with pytest.raises(nt.ConfigError, match=told):
            nt.sweep(PAIRS, BARS, GRID, **given)

    def test_a_parameter_that_the_strategy_does_not_have(self) -> None:
        with pytest.raises(nt.ConfigError, match="does not take lookbak"):
            nt.sweep(PAIRS, BARS, {"lookbak": [20]})

    def test_no_trial_can_be_run(self) -> None:
        with pytest.raises(nt.ConfigError, match="no trial can be run; the first is refused"):
            nt.sweep(PAIRS, BARS, {"lookback": [1, 2]})

    def test_a_strategy_instead_of_what_makes_one(self) -> None:
        with pytest.raises(nt.ConfigError, match=r"functools\.partial"):
            nt.sweep(PAIRS(), BARS, GRID)  # type: ignore[arg-type]

    def test_a_missing_symbol(self) -> None:
        with pytest.raises(nt.DataError, match="XYZ"):
            nt.sweep(functools.partial(nt.Pairs, "KO", "XYZ"), BARS, GRID)

    def test_a_strategy_that_cannot_be_sent(self) -> None:
        def local(window: int) -> Trend:
            return Trend(window)

        with pytest.raises(nt.ConfigError, match="cannot be sent"):
            nt.sweep(local, BARS, {"window": [9]}, engine="processes")

    @pytest.mark.parametrize("engine", ["threads", "processes"])
    def test_an_error_of_a_constructor_is_its_own(self, engine: Any) -> None:
        def make(window: int) -> Trend:
            return Trend(window + "")  # type: ignore[operator]

        with pytest.raises(TypeError, match="unsupported operand"):
            nt.sweep(make, BARS, {"window": [20, 30]}, engine=engine, workers=2)

    def test_a_process_that_ends_is_told_with_a_way_out(self) -> None:
        with pytest.raises(StrategyError, match=r"ended before its trial.*engine='threads'"):
            nt.sweep(Dies, BARS, {"window": [20, 30]}, engine="processes", workers=2)

    def test_shared_memory_without_room_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = os.statvfs("/")
        full = os.statvfs_result((*found[:4], 0, *found[5:]))
        monkeypatch.setattr(os, "statvfs", lambda _: full)
        with pytest.raises(nt.ConfigError, match="--shm-size"):
            nt.sweep(Trend, BARS, {"window": [20]}, engine="processes")

    @pytest.mark.parametrize("engine", ["threads", "processes"])
    def test_a_trial_that_fails_names_itself(self, engine: Any) -> None:
        with pytest.raises(RuntimeError, match="something of its own") as caught:
            nt.sweep(Breaks, BARS, {"window": [20, 30]}, engine=engine, workers=2)
        assert "in the trial of {'window': 30}" in caught.value.__notes__


class TestResults:
    def test_trials_stand_in_the_order_of_the_grid(self) -> None:
        swept = nt.sweep(PAIRS, BARS, GRID)
        assert [tuple(swept.parameters(k).values()) for k in range(6)] == [
            (20, 1.5), (20, 2.0), (40, 1.5), (40, 2.0), (60, 1.5), (60, 2.0),
        ]  # fmt: skip
        frame = swept.to_polars()
        assert frame.columns[:3] == ["lookback", "entry", "trades"]
        assert frame["final_equity"].to_list() == swept.figures["final_equity"].tolist()

    @pytest.mark.parametrize("rank_by", ["sharpe", "final_equity", "total_return"])
    def test_the_best_has_the_highest_figure(self, rank_by: str) -> None:
        swept = nt.sweep(PAIRS, BARS, GRID, rank_by=rank_by)
        assert swept.best is not None
        assert swept.best[rank_by] == max(swept.figures[rank_by])

    def test_the_best_drawdown_is_the_lowest(self) -> None:
        swept = nt.sweep(PAIRS, BARS, GRID, rank_by="max_drawdown")
        assert swept.best is not None
        assert swept.best["max_drawdown"] == min(swept.figures["max_drawdown"])

    def test_a_trial_beyond_the_leverage_limit_is_counted_and_not_ranked(self) -> None:
        grid = {"gross": [20_000.0, 900_000.0]}
        swept = nt.sweep(PAIRS, BARS, grid, max_leverage=1.0)
        assert swept.is_refused.tolist() == [False, True]
        assert swept.summary["refused"] == 1
        assert swept.ranking.tolist() == [0]
        assert len(swept) == 2

    def test_the_split_chooses_before_it_and_judges_from_it_on(self) -> None:
        swept = nt.sweep(PAIRS, BARS, GRID, split="2010-01-04")
        whole = nt.sweep(PAIRS, BARS, GRID, end="2010-01-03")
        np.testing.assert_array_equal(swept.figures["sharpe"], whole.figures["sharpe"])
        assert swept.best is not None
        run = nt.backtest(PAIRS(**swept.best["parameters"]), BARS, start="2010-01-04")
        assert swept.out_of_sample is not None
        assert swept.out_of_sample["final_equity"] == run.final_equity
        assert swept.out_of_sample["start"] == "2010-01-04"

    def test_progress_ends_at_all(self) -> None:
        seen: list[tuple[int, int]] = []
        grid = {"entry": [0.5, 1.0, 2.0], "exit": [0.1, 0.7]}
        nt.sweep(PAIRS, BARS, grid, progress=lambda done, total: seen.append((done, total)))
        assert seen[-1] == (6, 6)
        assert seen == sorted(seen)


class TestLedgers:
    def test_every_trial_is_written_down(self, tmp_path: Path) -> None:
        path = tmp_path / "trials.sqlite"
        swept = nt.sweep(PAIRS, BARS, GRID, ledger=path)
        with sqlite3.connect(path) as ledger:
            rows = ledger.execute(
                "SELECT parameters, final_equity, trades, data_hash, config_hash FROM trials "
                "JOIN sweeps ON sweeps.id = sweep_id"
            ).fetchall()
        found = {text: rest for text, *rest in rows}
        assert len(found) == 6
        for place in range(6):
            equity, trades, data_hash, config_hash = found[
                json.dumps(swept.parameters(place), sort_keys=True)
            ]
            assert equity == swept.figures["final_equity"][place]
            assert trades == swept.figures["trades"][place]
            assert data_hash == BARS.data_hash
            assert config_hash == swept.provenance["config_hash"]

    def test_resume_runs_only_what_is_missing(self, tmp_path: Path) -> None:
        path = tmp_path / "trials.sqlite"
        made: list[int] = []

        def make(window: int) -> Trend:
            made.append(window)
            return Trend(window)

        rules: dict[str, Any] = {"ledger": path, "engine": "threads"}
        nt.sweep(make, BARS, {"window": [20, 30]}, **rules)
        made.clear()
        swept = nt.sweep(make, BARS, {"window": [20, 30, 40]}, resume=True, **rules)
        # The first is made to look at it; only the third is run.
        assert made == [20, 40]
        fresh = nt.sweep(Trend, BARS, {"window": [20, 30, 40]}, engine="threads")
        assert swept.summary == fresh.summary

    def test_another_sweep_s_trials_are_not_taken(self, tmp_path: Path) -> None:
        path = tmp_path / "trials.sqlite"
        nt.sweep(PAIRS, BARS, GRID, ledger=path, costs=nt.Costs(fee_bps=50))
        swept = nt.sweep(PAIRS, BARS, GRID, ledger=path, resume=True)
        assert swept.summary == nt.sweep(PAIRS, BARS, GRID).summary
        with sqlite3.connect(path) as ledger:
            assert ledger.execute("SELECT count(*) FROM trials").fetchone() == (12,)

    def test_a_grid_in_another_order_and_of_other_values_finds_its_own(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "trials.sqlite"
        nt.sweep(PAIRS, BARS, GRID, ledger=path)
        turned: dict[str, list[Any]] = {"entry": [2.0, 2.5, 1.5], "lookback": [60, 20]}
        seen: list[int] = []
        swept = nt.sweep(
            PAIRS, BARS, turned, ledger=path, resume=True, progress=lambda n, _: seen.append(n)
        )
        fresh = nt.sweep(PAIRS, BARS, turned)
        assert swept.summary == fresh.summary
        np.testing.assert_array_equal(swept.figures["sharpe"], fresh.figures["sharpe"])
        assert seen == [5, 6]

    def test_what_is_done_before_a_failure_is_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "trials.sqlite"
        with pytest.raises(RuntimeError):
            nt.sweep(Breaks, BARS, {"window": [20, 25, 30, 40]}, ledger=path, engine="threads")
        with sqlite3.connect(path) as ledger:
            assert ledger.execute("SELECT count(*) FROM trials").fetchone() == (2,)

    def test_a_sweep_that_is_refused_leaves_no_file(self, tmp_path: Path) -> None:
        path = tmp_path / "trials.sqlite"
        with pytest.raises(nt.ConfigError, match="capital"):
            nt.sweep(PAIRS, BARS, GRID, ledger=path, capital=-1.0)
        with pytest.raises(nt.DataError, match="XYZ"):
            nt.sweep(functools.partial(nt.Pairs, "KO", "XYZ"), BARS, GRID, ledger=path)
        assert not list(tmp_path.iterdir())

    def test_a_folder_that_is_not_there_is_not_made(self, tmp_path: Path) -> None:
        with pytest.raises(nt.ConfigError, match="folder does not exist"):
            nt.sweep(PAIRS, BARS, GRID, ledger=tmp_path / "typo" / "trials.sqlite")
        assert not list(tmp_path.iterdir())

    def test_an_error_of_the_strategy_s_own_files_is_not_the_ledger_s(self, tmp_path: Path) -> None:
        path = tmp_path / "trials.sqlite"
        with pytest.raises(FileNotFoundError, match="none of mine"):
            nt.sweep(Misses, BARS, {"window": [20]}, ledger=path, engine="threads")

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (functools.partial(Trend, weight=0.2), functools.partial(Trend, weight=0.9)),
            (functools.partial(Hidden, 0.2), functools.partial(Hidden, 0.9)),
            (lambda window: Hidden(0.2, window), lambda window: Hidden(0.9, window)),
        ],
    )
    def test_factories_that_differ_in_something_hidden_share_no_trial(
        self, tmp_path: Path, one: Any, other: Any
    ) -> None:
        rules: dict[str, Any] = {"ledger": tmp_path / "trials.sqlite", "engine": "threads"}
        grid = {"window": [20, 30]}
        first = nt.sweep(one, BARS, grid, **rules)
        second = nt.sweep(other, BARS, grid, resume=True, **rules)
        assert second.summary == nt.sweep(other, BARS, grid, engine="threads").summary
        assert second.summary != first.summary
        again = nt.sweep(one, BARS, grid, resume=True, **rules)
        assert again.summary == first.summary

    def test_values_that_json_lacks_are_kept_and_found_again(self, tmp_path: Path) -> None:
        rules: dict[str, Any] = {"ledger": tmp_path / "trials.sqlite", "engine": "threads"}
        grid: dict[str, list[Any]] = {
            "weights": [[0.1, 0.2], [0.3, 0.4]],
            "day": [dt.date(2020, 1, 2)],
        }

        def make(weights: list[float], day: dt.date) -> Trend:
            return Trend(20 + day.day, sum(weights))

        first = nt.sweep(make, BARS, grid, **rules)
        seen: list[int] = []
        again = nt.sweep(
            make, BARS, grid, resume=True, progress=lambda n, _: seen.append(n), **rules
        )
        assert seen == []
        np.testing.assert_array_equal(first.figures["sharpe"], again.figures["sharpe"])

    def test_two_sweeps_may_write_to_one_new_ledger(self, tmp_path: Path) -> None:
        path = tmp_path / "trials.sqlite"
        with ThreadPoolExecutor(4) as pool:
            runs = [
                pool.submit(nt.sweep, PAIRS, BARS, GRID, ledger=path, capital=1e5 + k)
                for k in range(8)
            ]
            for run in runs:
                run.result()
        with sqlite3.connect(path) as ledger:
            assert ledger.execute("SELECT count(*) FROM trials").fetchone() == (48,)

    def test_a_sweep_waits_for_another_that_makes_the_ledger(self, tmp_path: Path) -> None:
        path = tmp_path / "trials.sqlite"
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(nt.sweep, PAIRS, BARS, GRID, ledger=path)
            assert not wait([run], timeout=0.5).done
            other.execute("ROLLBACK")
            run.result()
        other.close()
        with sqlite3.connect(path) as ledger:
            assert ledger.execute("SELECT count(*) FROM trials").fetchone() == (6,)

    def test_a_file_of_something_else_is_left_alone(self, tmp_path: Path) -> None:
        text = tmp_path / "notes.txt"
        text.write_text("mine\n" * 300)
        with pytest.raises(nt.DataError, match="ledger"):
            nt.sweep(PAIRS, BARS, GRID, ledger=text)
        assert text.read_text() == "mine\n" * 300
        other = tmp_path / "other.sqlite"
        with sqlite3.connect(other) as connection:
            connection.execute("CREATE TABLE mine (x)")
        before = other.read_bytes()
        with pytest.raises(nt.DataError, match="something else"):
            nt.sweep(PAIRS, BARS, GRID, ledger=other)
        assert other.read_bytes() == before

    def test_a_ledger_of_a_later_version_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "trials.sqlite"
        nt.sweep(PAIRS, BARS, GRID, ledger=path)
        with sqlite3.connect(path) as ledger:
            ledger.execute("PRAGMA user_version = 9")
        with pytest.raises(nt.DataError, match="version 9"):
            nt.sweep(PAIRS, BARS, GRID, ledger=path)


class TestReports:
    def test_a_page_holds_the_maps_and_asks_nothing_of_the_network(self, tmp_path: Path) -> None:
        swept = nt.sweep(PAIRS, BARS, GRID, split="2010-01-04")
        page = nt.report(swept, tmp_path / "sweep.html").read_text()
        assert "lookback down, entry across" in page
        assert "http:" not in page
        assert "https:" not in page
        assert "out of sample" in page
        again = nt.report(swept, tmp_path / "again.html").read_text()
        assert page == again

    @pytest.mark.parametrize("grid", [{"lookback": [20]}, {"lookback": list(range(20, 99))}])
    def test_a_grid_of_any_shape_has_a_page(self, tmp_path: Path, grid: dict[str, Any]) -> None:
        swept = nt.sweep(PAIRS, BARS, grid, end="1995-12-29")
        assert nt.report(swept, tmp_path / "sweep.html").stat().st_size < 1_000_000
