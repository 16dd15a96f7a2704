"""Fetching from a loopback server: concurrent, bounded, resumed, and honest about what failed."""

import asyncio
import datetime as dt
import time
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from neural_trader.core import ConfigError, DataError
from neural_trader.data.catalog import Catalog
from neural_trader.data.providers import (
    Alpaca,
    Files,
    HttpFiles,
    Keys,
    Outcome,
    Patience,
    Provider,
    Yahoo,
    fetch,
    plan,
)
from tests.alpaca_server import KEY_ID, SECRET, AlpacaServer, daily_bars, made_bars
from tests.reliability.proxy import Proxy

DAYS = [dt.date(2021, 1, 4) + dt.timedelta(days=each) for each in range(400)]
DAYS = [day for day in DAYS if day.weekday() < 5]
NOW_NS = 1_700_000_000_000_000_000
QUICK = Patience(Random(3).random, tries=8, first_s=0.005, longest_s=0.05, stall_s=0.4)


def alpaca(server: AlpacaServer, **options: Any) -> Alpaca:
    made: dict[str, Any] = {"url": server.url, "per_minute": None} | options
    return Alpaca(Keys(KEY_ID, SECRET), made.pop("patience", QUICK), **made)


def get(provider: Provider, catalog: Catalog, *symbols: str, **options: Any) -> list[Outcome]:
    words: dict[str, Any] = {
        "frequency": "1Day",
        "start": "2021-01-01",
        "end": "2022-12-31",
        "now_ns": NOW_NS,
    }
    return asyncio.run(fetch(provider, catalog, plan(symbols, **words | options)))


def test_bars_come_stamped_at_their_close_on_their_session_date(tmp_path: Path) -> None:
    """Over both changes of the clock: New York's midnight is 05:00Z in winter, 04:00Z in summer."""
    with AlpacaServer({"AAPL": daily_bars(DAYS)}, page_max=100) as server:
        [outcome] = get(alpaca(server), Catalog(tmp_path), "AAPL")
    assert (outcome.status, outcome.added, outcome.missing) == ("fetched", len(DAYS), ())
    assert len(server.requests) == 3
    bars = Catalog(tmp_path).load(["AAPL"])
    dates = bars["AAPL"].ts_close_ns.view("datetime64[ns]").astype("datetime64[D]").tolist()
    assert dates == DAYS
    assert bars["AAPL"].close.tolist() == [bar["c"] for bar in server.bars["AAPL"]]
    kept = Catalog(tmp_path).provenance("AAPL")
    assert kept is not None
    assert (kept.origin.provider, kept.origin.feed, kept.origin.adjustment) == (
        "alpaca",
        "iex",
        "raw",
    )
    assert kept.covered == ((dt.date(2021, 1, 1), dt.date(2022, 12, 31)),)
    assert {q["feed"] for q in server.requests} == {"iex"}
    assert {q["adjustment"] for q in server.requests} == {"raw"}


def test_bars_within_the_day_close_a_length_after_they_begin(tmp_path: Path) -> None:
    start = dt.datetime(2021, 3, 12, 23, 0, tzinfo=dt.UTC)
    starts = [start + dt.timedelta(hours=each) for each in range(-30, 30)]
    with AlpacaServer({"AAPL": made_bars(starts)}) as server:
        get(
            alpaca(server),
            Catalog(tmp_path),
            "AAPL",
            frequency="1Hour",
            start="2021-03-13",
            end="2021-03-13",
        )
    stamps = Catalog(tmp_path).load(["AAPL"], frequency="1Hour")["AAPL"].ts_close_ns
    found = stamps.view("datetime64[ns]").astype("datetime64[h]")
    # What closes on the 13th: from midnight, which begins on the 12th, to 23:00.
    assert found[0] == np.datetime64("2021-03-13T00")
    assert found[-1] == np.datetime64("2021-03-13T23")
    assert len(found) == 24


def test_crypto_has_its_own_path_and_file(tmp_path: Path) -> None:
    with AlpacaServer({"BTC/USD": daily_bars(DAYS[:9]), "BRK.B": daily_bars(DAYS[:9])}) as server:
        outcomes = get(alpaca(server), Catalog(tmp_path), "BTC/USD", "BRK.B")
    assert [each.added for each in outcomes] == [9, 9]
    assert {path.name for path in (tmp_path / "1Day").glob("[A-Z]*")} == {
        "BTC%2FUSD.parquet",
        "BRK.B.parquet",
    }
    crypto = next(query for query in server.requests if query["symbols"] == "BTC/USD")
    assert "feed" not in crypto
    assert Catalog(tmp_path).symbols() == ("BRK.B", "BTC/USD")


def test_a_hundred_symbols_come_ten_times_faster_than_one_after_another(tmp_path: Path) -> None:
    names = [f"S{each:03}" for each in range(100)]
    bars = {name: daily_bars(DAYS[:5], seed) for seed, name in enumerate(names)}

    async def ask(workers: int) -> float:
        from neural_trader.data.frequencies import read_frequency
        from neural_trader.data.providers.protocol import Ask

        left = iter(names)
        async with alpaca(server, connections=workers) as provider:

            async def work() -> None:
                for name in left:
                    found = await provider.bars(
                        Ask(name, read_frequency("1Day"), DAYS[0], DAYS[-1])
                    )
                    assert found is not None

            before = time.perf_counter()
            await asyncio.gather(*(work() for _ in range(workers)))
            return time.perf_counter() - before

    with AlpacaServer(bars, delay_s=0.02) as server:
        many = min(asyncio.run(ask(32)) for _ in range(2))
        one = asyncio.run(ask(1))
        assert one / many >= 10
        server.busiest = 0
        outcomes = get(alpaca(server), Catalog(tmp_path), *names, workers=7)
        assert server.busiest <= 7
    assert [each.added for each in outcomes] == [5] * 100


def test_what_came_is_not_asked_for_again(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    with AlpacaServer({"AAPL": daily_bars(DAYS)}) as server:
        get(alpaca(server), catalog, "AAPL", start="2021-03-01", end="2021-06-30")
        server.requests.clear()
        [again] = get(alpaca(server), catalog, "AAPL", start="2021-03-01", end="2021-06-30")
        assert (again.status, server.requests) == ("up to date", [])
        get(alpaca(server), catalog, "AAPL")
        asked = [(query["start"][:10], query["end"][:10]) for query in server.requests]
        assert asked == [("2021-01-01", "2021-02-28"), ("2021-07-01", "2022-12-31")]
        [fresh] = get(alpaca(server), catalog, "AAPL", refresh=True)
        assert (fresh.added, fresh.same) == (0, len(DAYS))
    assert len(catalog.load(["AAPL"])) == len(DAYS)


def test_adjusted_series_are_fetched_whole(tmp_path: Path) -> None:
    """A split changes every price before it: what is continued would stand on two bases."""
    catalog = Catalog(tmp_path)
    with AlpacaServer({"AAPL": daily_bars(DAYS)}) as server:
        get(alpaca(server, adjustment="split"), catalog, "AAPL", end="2021-06-30")
        for bar in server.bars["AAPL"]:
            bar |= {name: bar[name] / 2 for name in "ohlc"}
        get(alpaca(server, adjustment="split"), catalog, "AAPL")
        bars = catalog.load(["AAPL"])
        assert bars["AAPL"].close.tolist() == [bar["c"] for bar in server.bars["AAPL"]]
        assert bars.basis == "split-adjusted"
        [mixed] = get(alpaca(server), catalog, "AAPL", refresh=True)
    assert mixed.status == "failed"
    assert "another origin" in mixed.error


def test_a_bar_that_has_not_closed_is_left_out_and_asked_for_again(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    noon_ns = int(np.datetime64("2021-01-06T12:00", "ns").astype(int))
    with AlpacaServer({"AAPL": daily_bars(DAYS[:4])}) as server:
        [first] = get(alpaca(server), catalog, "AAPL", now_ns=noon_ns)
        assert (first.added, first.unfinished) == (2, 1)
        [later] = get(alpaca(server), catalog, "AAPL", now_ns=noon_ns + 86_400_000_000_000)
        assert (later.added, server.requests[-1]["start"][:10]) == (1, "2021-01-06")


def test_one_failure_does_not_lose_the_others(tmp_path: Path) -> None:
    bad = daily_bars(DAYS)
    bad[7]["h"] = bad[7]["l"] / 2
    with AlpacaServer({"A": daily_bars(DAYS), "B": bad, "C": daily_bars(DAYS)}) as server:
        a, b, c, d = get(alpaca(server), Catalog(tmp_path), "A", "B", "C", "NONE")
    assert (a.status, b.status, c.status, d.status) == ("fetched", "failed", "fetched", "failed")
    assert "row 8 of B from Alpaca" in b.error
    assert "no bars of NONE" in d.error
    assert b.missing == ((dt.date(2021, 1, 1), dt.date(2022, 12, 31)),)
    assert Catalog(tmp_path).symbols() == ("A", "C")


def test_wrong_keys_end_it_and_are_not_shown(tmp_path: Path) -> None:
    keys = Keys("PK-WRONG-ID", "wrong-secret-value")
    with (
        AlpacaServer({"A": daily_bars(DAYS)}) as server,
        pytest.raises(ConfigError, match="403") as caught,
    ):
        get(Alpaca(keys, QUICK, url=server.url), Catalog(tmp_path), "A", "B")
    assert "PK-WRONG-ID" not in str(caught.value)
    assert "wrong-secret-value" not in str(caught.value)
    assert "wrong-secret" not in f"{keys} {keys!r}"
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_keys_are_in_no_file(tmp_path: Path) -> None:
    with AlpacaServer({"A": daily_bars(DAYS)}) as server:
        get(alpaca(server), Catalog(tmp_path), "A")
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"PAR1" in kept
    assert KEY_ID.encode() not in kept
    assert SECRET.encode() not in kept


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"feed": "all"}, "feed is 'all'"),
        ({"adjustment": "dividend"}, "adjustment is 'dividend'"),
        ({"url": "http://example.com"}, "is not https"),
    ],
)
def test_words_that_alpaca_does_not_know(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Alpaca(Keys("a", "b"), QUICK, **options)
    with pytest.raises(ConfigError, match="APCA_API_KEY_ID"):
        Alpaca(Keys("", "b"), QUICK)


def circle(number: int, page: dict[str, Any]) -> int | None:
    page |= {"next_page_token": "MA=="}
    return None


def lost(number: int, page: dict[str, Any]) -> int | None:
    return 404 if number == 2 else None


def another(number: int, page: dict[str, Any]) -> int | None:
    page["bars"]["B"] = page["bars"]["A"]
    return None


def doubled(number: int, page: dict[str, Any]) -> int | None:
    page["bars"]["A"].append(page["bars"]["A"][-1])
    return None


def early(number: int, page: dict[str, Any]) -> int | None:
    page["bars"]["A"][0]["t"] = "2019-01-02T05:00:00Z"
    return None


def wordy(number: int, page: dict[str, Any]) -> int | None:
    page["bars"]["A"][3]["c"] = "much"
    return None


def unzoned(number: int, page: dict[str, Any]) -> int | None:
    page["bars"]["A"][0]["t"] = "2021-01-04T05:00:00"
    return None


def moved(number: int, page: dict[str, Any]) -> int | None:
    return 301


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (circle, "in a circle"),
        (lost, "between two of its pages"),
        (another, "sends bars of B"),
        (doubled, "stands twice"),
        (early, "closes outside of 2021-01-01"),
        (wordy, "not what its reference says"),
        (unzoned, "without a time zone"),
        (moved, "sends us elsewhere"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_for_is_refused(
    tmp_path: Path, spoil: Any, words: str
) -> None:
    with AlpacaServer({"A": daily_bars(DAYS)}, page_max=100, spoil=spoil) as server:
        [outcome] = get(alpaca(server), Catalog(tmp_path), "A")
    assert (outcome.status, outcome.added) == ("failed", 0)
    assert words in outcome.error
    assert not list(tmp_path.rglob("*.parquet"))


def test_the_memory_is_that_of_a_few_symbols(tmp_path: Path) -> None:
    import tracemalloc

    names = [f"S{each:02}" for each in range(24)]
    days = [dt.date(1960, 1, 4) + dt.timedelta(days=each) for each in range(3_000)]
    with AlpacaServer(dict.fromkeys(names, daily_bars(days))) as server:

        def peak(count: int) -> int:
            tracemalloc.start()
            outcomes = get(
                alpaca(server),
                Catalog(tmp_path / str(count)),
                *names[:count],
                start="1960-01-01",
                workers=2,
            )
            top = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert [each.added for each in outcomes] == [3_000] * count
            return top

        few, many = peak(4), peak(24)
    assert many < 1.5 * few, f"{many:,} bytes for 24 symbols, {few:,} for 4"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bad_lines_and_storms_of_429_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    names = [f"S{each}" for each in range(12)]
    bars = {name: daily_bars(DAYS, at) for at, name in enumerate(names)}
    rng = Random(seed)
    with AlpacaServer(bars, refuse=0.4, page_max=90, delay_s=0.002, seed=seed) as server:
        proxy = Proxy(server.port, seed)
        provider = alpaca(
            server,
            url=f"http://127.0.0.1:{proxy.port}",
            patience=QUICK._replace(tries=12, stall_s=0.2),
        )

        async def hurt() -> None:
            while True:
                await asyncio.sleep(rng.uniform(0.005, 0.03))
                faults = ("reset", "half frame", "closed", "stall", "trickle", "stall back")
                await asyncio.to_thread(proxy.hurt, rng.choice(faults))

        async def both() -> list[Outcome]:
            pain = asyncio.create_task(hurt())
            try:
                wanted = plan(
                    names, frequency="1Day", start="2021-01-01", end=None, now_ns=NOW_NS, workers=6
                )
                return await fetch(provider, Catalog(tmp_path), wanted)
            finally:
                pain.cancel()

        outcomes = asyncio.run(both())
        proxy.close()
    assert server.answers[429] + server.answers[503] > 20
    assert sum(proxy.happened[fault] for fault in ("reset", "half frame", "closed")) > 5
    for name, outcome in zip(names, outcomes, strict=True):
        if outcome.status == "failed":
            assert outcome.missing == ((dt.date(2021, 1, 1), dt.date(2023, 11, 14)),)
            assert name not in Catalog(tmp_path).symbols()
        else:
            found = Catalog(tmp_path).load([name])[name]
            assert found.close.tolist() == [bar["c"] for bar in bars[name]]
    assert [each.status for each in outcomes].count("fetched") >= 6


def test_a_stop_keeps_what_has_come(tmp_path: Path) -> None:
    names = [f"S{each}" for each in range(20)]
    bars = {name: daily_bars(DAYS[:20], at) for at, name in enumerate(names)}
    catalog = Catalog(tmp_path)
    done: list[Outcome] = []
    with AlpacaServer(bars, delay_s=0.03) as server:
        wanted = plan(
            names, frequency="1Day", start="2021-01-01", end="2021-12-31", now_ns=NOW_NS, workers=2
        )

        async def stopped() -> None:
            five = asyncio.Event()

            def note(outcome: Outcome) -> None:
                done.append(outcome)
                if len(done) == 5:
                    five.set()

            task = asyncio.create_task(fetch(alpaca(server), catalog, wanted, on_done=note))
            await asyncio.wait_for(five.wait(), 20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(stopped())
        assert 5 <= len(done) < 20
        server.requests.clear()
        outcomes = get(alpaca(server), catalog, *names, end="2021-12-31")
        assert len(server.requests) <= 20 - len(done)
    statuses = [each.status for each in outcomes]
    assert statuses.count("up to date") >= len(done)
    assert [len(catalog.load([name])) for name in names] == [20] * 20


def test_a_rate_limit_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from neural_trader.data.providers.transport import Transport

    async def send() -> list[float]:
        transport = Transport(QUICK, connections=4, per_minute=3)
        loop = asyncio.get_running_loop()
        times: list[float] = []
        real_sleep, real_time, skipped_s = asyncio.sleep, loop.time, 0.0

        async def sleep(seconds: float) -> None:
            nonlocal skipped_s
            skipped_s += seconds
            await real_sleep(0)

        # Time jumps where somebody sleeps.
        monkeypatch.setattr(loop, "time", lambda: real_time() + skipped_s)
        monkeypatch.setattr(asyncio, "sleep", sleep)
        for _ in range(7):
            await transport._turn()
            times.append(loop.time())
        monkeypatch.undo()
        return times

    times = asyncio.run(send())
    assert times[2] - times[0] < 1
    assert 60 <= times[3] - times[0] < 61
    assert 120 <= times[6] - times[0] < 121


def test_waits_double_and_spread() -> None:
    calm, wild = Patience(lambda: 0.0), Patience(lambda: 0.999)
    assert [calm.wait_s(each) for each in (1, 2, 3)] == [0.125, 0.25, 0.5]
    assert wild.wait_s(2) == pytest.approx(0.5, rel=1e-2)
    assert wild.wait_s(50) <= 30


def test_files_and_samples(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog")
    [outcome] = get(Files("us-ohlcv", provider="samples"), catalog, "AAPL", start="2001-01-02")
    assert outcome.status == "fetched"
    kept = catalog.provenance("AAPL")
    assert kept is not None
    assert kept.origin.basis == "raw"
    assert [str(split.date) for split in kept.splits] == ["2000-06-21", "2005-02-28"]
    assert [str(split.date) for split in catalog.load("AAPL").splits] == ["2005-02-28"]
    path = tmp_path / "KO.csv"
    path.write_text("date,close\n2021-01-04,1\n2021-01-05,oops\n")
    [bad] = get(Files(str(path)), catalog, "KO")
    assert bad.status == "failed"
    assert "row 2 (line 3 of KO.csv)" in bad.error
    with pytest.raises(DataError, match="is not there"):
        Files(str(tmp_path / "nothing.csv"))


@pytest.mark.parametrize("template", ["ftp://x/{symbol}", "https://x/{nothing}", "nowhere"])
def test_addresses_that_are_none(template: str) -> None:
    with pytest.raises(ConfigError):
        HttpFiles(template, QUICK)


def test_files_behind_http(tmp_path: Path) -> None:
    import functools
    import threading
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "KO.csv").write_text("date,close\n2021-01-04,1\n2021-01-05,2\n2023-01-05,2\n")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/{{symbol}}.csv?apikey=hush"
        catalog = Catalog(tmp_path / "catalog")
        ko, pep = get(HttpFiles(address, QUICK), catalog, "KO", "PEP")
        server.shutdown()
    assert (ko.status, ko.added) == ("fetched", 2)
    assert (pep.status, pep.error[:22]) == ("failed", "http has no bars of PE")
    kept = catalog.provenance("KO")
    assert kept is not None
    assert kept.origin.source == f"127.0.0.1:{server.server_port}/{{symbol}}.csv"
    assert "hush" not in str(kept)


def test_yahoo(tmp_path: Path) -> None:
    import inspect

    import pandas as pd

    asked: list[dict[str, Any]] = []

    def history(symbol: str, **arguments: Any) -> pd.DataFrame | None:
        asked.append(arguments | {"symbol": symbol})
        if symbol == "NONE":
            return None
        if symbol == "SHY" and len(asked) < 6:
            raise ConnectionError(symbol)
        if symbol == "BAD":
            raise ValueError(symbol)
        days = pd.DatetimeIndex(["2021-03-12", "2021-03-15"], tz="America/New_York", name="Date")
        names = ("Open", "High", "Low", "Close", "Volume")
        return pd.DataFrame({name: [2.0, 3.0] for name in names}, index=days)

    catalog = Catalog(tmp_path)
    ko, none, bad, shy = get(
        Yahoo(QUICK, history=history), catalog, "KO", "NONE", "BAD", "SHY", workers=1
    )
    assert (shy.added, len(asked)) == (2, 6)
    assert (ko.added, none.status, bad.status) == (2, "failed", "failed")
    assert "ValueError: BAD" in bad.error
    bars = catalog.load(["KO"])
    assert bars.basis == "split-adjusted"
    stamps = bars["KO"].ts_close_ns.view("datetime64[ns]").astype("datetime64[D]").astype(str)
    assert stamps.tolist() == ["2021-03-12", "2021-03-15"]
    assert (asked[0]["start"], asked[0]["end"]) == ("2021-01-01", "2023-01-01")
    with pytest.raises(ConfigError, match="no raw"):
        Yahoo(QUICK, adjustment="raw", history=history)
    pytest.importorskip("yfinance", reason="the extra yahoo is not installed")
    from yfinance.scrapers.history import PriceHistory

    known = inspect.signature(PriceHistory.history).parameters
    assert set(asked[0]) - {"symbol"} <= set(known)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"symbols": []}, "no symbol"),
        ({"symbols": ["A", "A"]}, "twice"),
        ({"symbols": [" A"]}, "is no symbol"),
        ({"start": "2021-13-01"}, "start"),
        ({"end": "2020-01-01"}, "lies after end"),
        ({"start": "2031-01-01", "end": "2032-01-01"}, "in the future"),
        ({"frequency": "1Week"}, "frequency"),
        ({"frequency": "60Min"}, "frequency"),
        ({"frequency": "0Min"}, "frequency"),
        ({"workers": 0}, "workers"),
    ],
)
def test_plans_that_cannot_be(options: dict[str, Any], words: str) -> None:
    made: dict[str, Any] = {
        "symbols": ["A"],
        "frequency": "1Day",
        "start": "2021-01-01",
        "end": "2021-02-01",
        "now_ns": NOW_NS,
    }
    made |= options
    with pytest.raises(ConfigError, match=words):
        plan(made.pop("symbols"), **made)
