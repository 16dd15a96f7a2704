"""The loopback server is held to the real alpaca-py client, where that is installed."""

import asyncio
import datetime as dt
from pathlib import Path
from random import Random

import pytest

from neural_trader.data.catalog import Catalog
from neural_trader.data.providers import Alpaca, Keys, Patience, fetch, plan
from tests.alpaca_server import KEY_ID, SECRET, AlpacaServer, daily_bars

DAYS = [dt.date(2021, 1, 1) + dt.timedelta(days=each) for each in range(90)]
BARS = {"AAPL": daily_bars(DAYS, 1), "BRK.B": daily_bars(DAYS, 2)}


@pytest.mark.filterwarnings("ignore")
def test_alpaca_py_and_we_read_the_same_bars(tmp_path: Path) -> None:
    historical = pytest.importorskip("alpaca.data.historical", reason="pip install alpaca-py")
    from alpaca.data.enums import Adjustment, DataFeed
    from alpaca.data.requests import StockBarsRequest
    from alpaca.data.timeframe import TimeFrame

    with AlpacaServer(BARS, page_max=40) as server:
        client = historical.StockHistoricalDataClient(KEY_ID, SECRET, url_override=server.url)
        request = StockBarsRequest(
            symbol_or_symbols=["AAPL", "BRK.B"],
            timeframe=TimeFrame.Day,
            start=dt.datetime(2021, 1, 1),  # noqa: DTZ001 - as its documentation has it
            end=dt.datetime(2021, 3, 31, 23, 59),  # noqa: DTZ001
            feed=DataFeed.IEX,
            adjustment=Adjustment.RAW,
        )
        theirs = client.get_stock_bars(request).data
        their_queries = list(server.requests)
        server.requests.clear()
        provider = Alpaca(
            Keys(KEY_ID, SECRET), Patience(Random(1).random), url=server.url, per_minute=None
        )
        wanted = plan(
            tuple(BARS),
            frequency="1Day",
            start="2021-01-01",
            end="2021-03-31",
            now_ns=1_700_000_000_000_000_000,
        )
        asyncio.run(fetch(provider, Catalog(tmp_path), wanted))
        our_queries = list(server.requests)
        with pytest.raises(Exception, match="forbidden"):
            historical.StockHistoricalDataClient(
                "no", "no", url_override=server.url
            ).get_stock_bars(request)
    assert len(their_queries) == 5  # 180 bars on pages of 40
    assert {"symbols", "timeframe", "start", "end", "limit", "feed", "adjustment"} <= set(
        our_queries[0]
    )
    shared = ("timeframe", "limit", "feed", "adjustment")
    assert [our_queries[0][name] for name in shared] == [their_queries[0][name] for name in shared]
    # Theirs ask for the next page under the same name.
    assert "page_token" in their_queries[1]
    ours = Catalog(tmp_path).load(list(BARS))
    for symbol, bars in theirs.items():
        assert ours[symbol].close.tolist() == [bar.close for bar in bars]
        volume = ours[symbol].volume
        assert volume is not None
        assert volume.tolist() == [bar.volume for bar in bars]
        days = ours[symbol].ts_close_ns.view("datetime64[ns]").astype("datetime64[D]").tolist()
        assert days == [bar.timestamp.date() for bar in bars]
