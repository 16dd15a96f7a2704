"""A loopback server that speaks Alpaca's historical bars: keys, ranges, pages, limits.

Source: Alpaca, Market Data API reference, "Historical bars". The real alpaca-py client is held to
the same server in ``tests/integration/data/test_alpaca_client.py``.
"""

import asyncio
import base64
import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Self
from zoneinfo import ZoneInfo

from aiohttp import web

KEY_ID, SECRET = "PK-TEST-KEY-ID", "test-secret-value-1234567890"
NEW_YORK = ZoneInfo("America/New_York")
_BAR_KEYS = ("t", "o", "h", "l", "c", "v", "n", "vw")


def daily_bars(days: Sequence[dt.date], seed: int = 7) -> list[dict[str, Any]]:
    """Return daily bars as Alpaca stamps them: at midnight in New York, told in UTC."""
    midnights = [dt.datetime(day.year, day.month, day.day, tzinfo=NEW_YORK) for day in days]
    return made_bars([each.astimezone(dt.UTC) for each in midnights], seed)


def made_bars(starts: Sequence[dt.datetime], seed: int = 7) -> list[dict[str, Any]]:
    """Return bars that begin at these times, with made-up prices."""
    rng, price, bars = Random(seed), 100.0, []
    for start in starts:
        first, price = price, round(price * (1 + rng.uniform(-0.02, 0.02)), 2)
        high = round(max(first, price) * 1.01, 2)
        low = round(min(first, price) * 0.99, 2)
        text = start.strftime("%Y-%m-%dT%H:%M:%SZ")
        values = (text, first, high, low, price, rng.randrange(100, 10**6), 5, price)
        bars.append(dict(zip(_BAR_KEYS, values, strict=True)))
    return bars


class AlpacaServer:
    """The server, on a port of its own and in a thread of its own.

    Parameters
    ----------
    bars : dict
        Symbol to bars in order.
    delay_s : float
        How long each request takes.
    refuse : float
        The part of the requests that get 429 or 503, by a seeded choice.
    page_max : int
        Bars on a page at most.
    spoil : callable
        Called with the number of the request and the answer, which it may change; it may give
        another status.

    Attributes
    ----------
    requests : list of dict
        The query of each request, in order.
    busiest : int
        The most requests that were being answered at once.
    """

    def __init__(
        self,
        bars: dict[str, list[dict[str, Any]]],
        *,
        delay_s: float = 0.0,
        refuse: float = 0.0,
        page_max: int = 10_000,
        seed: int = 1,
        spoil: Callable[[int, dict[str, Any]], int | None] = lambda *_: None,
    ) -> None:
        self.bars = bars
        self.delay_s, self.refuse, self.page_max = delay_s, refuse, page_max
        self.spoil = spoil
        self.requests: list[dict[str, str]] = []
        self.answers: Counter[int] = Counter()
        self.busy = self.busiest = 0
        self.port = 0
        self._rng = Random(seed)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_get("/v2/stocks/bars", self._answer)
        app.router.add_get("/v1beta3/crypto/us/bars", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.port = runner.addresses[0][1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests.append(dict(request.query))
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            await asyncio.sleep(self.delay_s)
            answer = self._decide(request)
        finally:
            self.busy -= 1
        self.answers[answer.status] += 1
        return answer

    def _decide(self, request: web.Request) -> web.Response:
        headers, query = request.headers, dict(request.query)
        keys = headers.get("APCA-API-KEY-ID"), headers.get("APCA-API-SECRET-KEY")
        if keys != (KEY_ID, SECRET):
            # A careless server says what it was sent: a client must not pass that on.
            return web.json_response({"message": f"forbidden: {keys[0]} {keys[1]}"}, status=403)
        if self._rng.random() < self.refuse:
            status = self._rng.choice((429, 503))
            after = {"Retry-After": "0.01"} if status == 429 else {}
            return web.json_response(
                {"message": "too many requests."}, status=status, headers=after
            )
        symbols = sorted(query.get("symbols", "").split(","))
        if not symbols[0] or "timeframe" not in query:
            return web.json_response({"message": "invalid request"}, status=400)
        limit = min(int(query.get("limit", 1000)), self.page_max)
        first, last = _moment(query["start"]), _moment(query["end"])
        every = [
            (symbol, bar)
            for symbol in symbols
            for bar in self.bars.get(symbol, [])
            if first <= _moment(bar["t"]) <= last
        ]
        token = query.get("page_token")
        at = int(base64.b64decode(token)) if token else 0
        page: dict[str, list[dict[str, Any]]] = {}
        for symbol, bar in every[at : at + limit]:
            page.setdefault(symbol, []).append(bar)
        more = at + limit < len(every)
        following = base64.b64encode(str(at + limit).encode()).decode() if more else None
        answer = {"bars": page, "next_page_token": following}
        return web.json_response(answer, status=self.spoil(len(self.requests), answer) or 200)


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
