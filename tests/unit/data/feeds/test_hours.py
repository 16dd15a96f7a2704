"""Sessions: hours by the clock of a place, and those of an exchange."""

import datetime as dt

import pytest

import neural_trader as nt
from neural_trader.data import feeds
from tests.unit.data.feeds.ticking import bars_of, read


def ns(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp()) * 1_000_000_000


def test_summer_time_moves_the_session_by_the_clock_of_its_place() -> None:
    hours = feeds.Hours()
    # New York went to summer time on Sunday, 2024-03-10.
    for day, opens in (("2024-03-08", "14:30"), ("2024-03-11", "13:30")):
        span = hours.span(ns(f"{day}T15:00+00:00"))
        assert span is not None
        assert span[0] == ns(f"{day}T{opens}+00:00")
        assert span[1] - span[0] == 6.5 * 3600 * 1e9
        assert hours.span(span[0]) == hours.span(span[1]) == span
        assert hours.span(span[0] - 1) is None
        assert hours.span(span[1] + 1) is None
    assert hours.span(ns("2024-03-09T15:00+00:00")) is None


def test_a_session_over_midnight_and_one_on_another_day_than_utc() -> None:
    night = feeds.Hours("22:00", "06:00", "UTC", weekends=True)
    span = night.span(ns("2024-01-03T02:00+00:00"))
    assert span == (ns("2024-01-02T22:00+00:00"), ns("2024-01-03T06:00+00:00"))
    sydney = feeds.Hours("10:00", "16:00", "Australia/Sydney")
    span = sydney.span(ns("2024-01-07T23:30+00:00"))
    assert span is not None
    assert span[0] == ns("2024-01-07T23:00+00:00")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("9.30", "16:00", "UTC"), "opens is '9.30'"),
        (("09:30", "25:00", "UTC"), "closes is '25:00'"),
        (("09:30", "16:00", "Mars/Olympus"), "zone is 'Mars/Olympus'"),
        (("09:30", "16:00", ""), "zone is ''"),
    ],
)
def test_hours_that_are_none_are_refused(given: tuple[str, str, str], message: str) -> None:
    with pytest.raises(nt.ConfigError, match=message):
        feeds.Hours(*given)


def test_a_session_is_read_from_what_people_write() -> None:
    replay = feeds.Replay([feeds.TradeEvent(symbol="A", ts_event_ns=1, price=1, size=1)])
    feeds.Aggregated(replay, "5Min", session=("09:30", "16:00", "America/New_York"))
    sunday = ns("2024-01-07T23:00+00:00")
    evening = ("18:00", "17:00", "America/New_York")
    trades = [feeds.TradeEvent(symbol="A", ts_event_ns=sunday + 1, price=1, size=1)]
    feed = feeds.Aggregated(feeds.Replay(trades), "1Hour", session=evening, incomplete="keep")
    assert [bar.ts_close_ns for bar in bars_of(read(feed))] == [ns("2024-01-08T00:00+00:00")]
    watched = feeds.Watched(
        feeds.Replay([*trades, feeds.Heartbeat(ts_event_ns=sunday + 3600 * 10**9)]),
        5,
        session=evening,
    )
    assert watched.counts["stale"] == 0
    read(watched)
    assert watched.counts["stale"] == 0
    for odd in (5, ("09:30", "16:00"), ["09:30", "16:00", "UTC"]):
        with pytest.raises(nt.ConfigError, match="session is"):
            feeds.Watched(replay, 5, session=odd)  # type: ignore[arg-type]


def test_an_exchange_knows_holidays_and_half_days() -> None:
    pytest.importorskip("exchange_calendars")
    exchange = feeds.Exchange("XNYS")
    assert exchange.span(ns("2024-07-04T15:00+00:00")) is None
    half = exchange.span(ns("2024-07-03T15:00+00:00"))
    assert half == (ns("2024-07-03T13:30+00:00"), ns("2024-07-03T17:00+00:00"))
    assert exchange.span(ns("2024-07-03T17:30+00:00")) is None
    with pytest.raises(nt.ConfigError, match="calendar is 'NYSE9'"):
        feeds.Exchange("NYSE9")
