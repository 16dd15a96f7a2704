"""Bars from Alpaca's market data API: stocks from REST v2, crypto from v1beta3.

Source: Alpaca, Market Data API reference, "Historical bars": ``GET /v2/stocks/bars`` and
``GET /v1beta3/crypto/us/bars`` with ``symbols``, ``timeframe``, ``start``, ``end``, ``limit``,
``page_token``; stocks also ``feed`` and ``adjustment``. A page holds at most 10,000 bars and the
token of the next. A bar carries the time at which it begins.
"""

import datetime as dt
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

import msgspec
import numpy as np

from neural_trader.core import Bars, Basis, ConfigError, DataError
from neural_trader.core.bars import Floats, Ints
from neural_trader.data.catalog import Origin
from neural_trader.data.providers.protocol import Ask, read_columns
from neural_trader.data.providers.transport import HalfAnswer, Patience, Transport, place_of

URL: Final = "https://data.alpaca.markets"
FEEDS: Final = ("iex", "sip", "otc", "boats")
_BASES: Final[dict[str, Basis]] = {
    "raw": "raw",
    "split": "split-adjusted",
    "all": "total-return",
}
ADJUSTMENTS: Final = tuple(_BASES)
_PAGE_BARS: Final = 10_000
_PAGES_MAX: Final = 10_000
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class _Bar(msgspec.Struct):
    t: dt.datetime
    o: float
    h: float
    l: float  # noqa: E741 - the provider's name
    c: float
    v: float


class _Page(msgspec.Struct):
    bars: dict[str, list[_Bar]] | None
    next_page_token: str | None = None


class Keys(NamedTuple):
    """The two halves of an Alpaca key. They are not shown, not even by a traceback."""

    key_id: str
    secret: str

    def __repr__(self) -> str:
        """Hide both."""
        return "Keys(***)"


class Alpaca:
    """Alpaca's historical bars.

    Parameters
    ----------
    keys : Keys
        From the environment; ``app`` reads it.
    patience : Patience
        Tries and waits.
    feed : {"iex", "sip", "otc", "boats"}
        Whose trades the bars sum up. ``iex`` is free, and a few per cent of the market's volume.
    adjustment : {"raw", "split", "all"}
        ``all`` takes out dividends as well.
    url : str
        Where the API is.
    connections, per_minute : int
        Requests at once and in a minute; the free plan allows 200.

    Raises
    ------
    ConfigError
        A word is unknown, a key is missing, or keys would travel unencrypted to another machine.
    """

    days_max = 366

    def __init__(
        self,
        keys: Keys,
        patience: Patience,
        *,
        feed: str = "iex",
        adjustment: str = "raw",
        url: str = URL,
        connections: int = 16,
        per_minute: int | None = 200,
    ) -> None:
        for name, value, known in (
            ("feed", feed, FEEDS),
            ("adjustment", adjustment, ADJUSTMENTS),
        ):
            if value not in known:
                message = f"{name} is {value!r}; Alpaca knows {', '.join(known)}"
                raise ConfigError(message)
        if not (keys.key_id and keys.secret and f"{keys.key_id}{keys.secret}".isascii()):
            message = (
                "Alpaca wants keys: set APCA_API_KEY_ID and APCA_API_SECRET_KEY in the environment"
            )
            raise ConfigError(message)
        parts = urlsplit(url)
        local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            message = (
                f"the address {place_of(url)} is not https; keys travel unencrypted to nobody but "
                "this machine"
            )
            raise ConfigError(message)
        self._url = url.rstrip("/")
        self._feed, self._adjustment = feed, adjustment
        self._transport = Transport(
            patience,
            connections=connections,
            per_minute=per_minute,
            headers={"APCA-API-KEY-ID": keys.key_id, "APCA-API-SECRET-KEY": keys.secret},
            secrets=(keys.key_id, keys.secret),
        )

    def origin(self, symbol: str) -> Origin:
        """Return feed, adjustment and basis; crypto has neither feed nor adjustment."""
        host = place_of(self._url).partition("/")[0]
        if "/" in symbol:
            return Origin(provider="alpaca", source=host, feed="crypto-us", adjustment="raw")
        return Origin(
            provider="alpaca",
            source=host,
            feed=self._feed,
            adjustment=self._adjustment,
            basis=_BASES[self._adjustment],
        )

    async def bars(self, ask: Ask) -> Bars | None:
        """Return the bars of all pages; see :class:`Provider`."""
        symbol, daily = ask.symbol, ask.frequency.daily
        if "," in symbol:
            message = f"{symbol!r} is no symbol of Alpaca"
            raise DataError(message)
        # A daily bar begins at midnight in New York, which is the same day in UTC.
        shift = 0 if daily else ask.frequency.length_ns
        params = {
            "symbols": symbol,
            "timeframe": ask.frequency.name,
            "start": _time(ask.first_ns - shift),
            "end": _time(ask.last_ns - shift),
            "limit": str(_PAGE_BARS),
            "sort": "asc",
        }
        path = "/v1beta3/crypto/us/bars"
        if "/" not in symbol:
            path = "/v2/stocks/bars"
            params |= {"feed": self._feed, "adjustment": self._adjustment}
        pages: list[dict[str, Floats | Ints]] = []
        tokens = {""}
        for _ in range(_PAGES_MAX):
            page = await self._transport.get(self._url + path, params, _read)
            if page is None and pages:
                message = f"Alpaca lost {symbol} between two of its pages: it answers 404"
                raise DataError(message)
            if page is None:
                return None
            pages.append(_columns(page, symbol))
            token = page.next_page_token or ""
            if not token:
                break
            if token in tokens:
                message = f"Alpaca sends {symbol} in a circle: a page token came twice"
                raise DataError(message)
            tokens.add(token)
            params["page_token"] = token
        else:
            message = f"Alpaca sends more than {_PAGES_MAX} pages of {symbol}"
            raise DataError(message)
        columns = {name: np.concatenate([page[name] for page in pages]) for name in pages[0]}
        return read_columns(f"{symbol} from Alpaca", columns, ask, self.origin(symbol).basis)

    async def __aenter__(self) -> Self:
        """Open connections."""
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close them."""
        await self._transport.__aexit__(*error)


def _read(body: bytes) -> _Page:
    try:
        return msgspec.json.decode(body, type=_Page)
    except msgspec.ValidationError as error:
        message = f"Alpaca's answer is not what its reference says ({error})"
        raise DataError(message) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"its answer is cut or no JSON ({error})"
        raise HalfAnswer(message) from None


def _columns(page: _Page, symbol: str) -> dict[str, Floats | Ints]:
    """Return the bars of a page as columns."""
    held = page.bars or {}
    others = sorted(held.keys() - {symbol})
    if others:
        message = f"Alpaca sends bars of {others[0]}; {symbol} was asked for"
        raise DataError(message)
    bars = held.get(symbol, [])
    micro = dt.timedelta(microseconds=1)
    naive = next((bar for bar in bars if bar.t.tzinfo is None), None)
    if naive is not None:
        message = f"Alpaca sends {symbol} at {naive.t}, without a time zone"
        raise DataError(message)
    return {
        "start_ns": np.array([(bar.t - _EPOCH) // micro * 1000 for bar in bars], np.int64),
        "open": np.array([bar.o for bar in bars], np.float64),
        "high": np.array([bar.h for bar in bars], np.float64),
        "low": np.array([bar.l for bar in bars], np.float64),
        "close": np.array([bar.c for bar in bars], np.float64),
        "volume": np.array([bar.v for bar in bars], np.float64),
    }


def _time(stamp_ns: int) -> str:
    """Return a time as RFC 3339, to the second: bars begin on whole seconds."""
    return f"{np.datetime64(stamp_ns // 1_000_000_000, 's')}Z"
