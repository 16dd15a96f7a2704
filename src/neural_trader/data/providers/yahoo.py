"""Bars from Yahoo, through yfinance (extra ``yahoo``): a thin wrapper, no protocol of our own.

Yahoo has no raw prices: its closes are adjusted for splits, its adjusted closes for dividends too.
"""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable
from typing import Any, Final, Self

from neural_trader.core import Bars, Basis, ConfigError, DataError
from neural_trader.core.bars import Floats, Ints
from neural_trader.data.catalog import Origin
from neural_trader.data.providers.protocol import Ask, cut, read_columns
from neural_trader.data.providers.transport import Patience

_BASES: Final[dict[str, Basis]] = {"split": "split-adjusted", "all": "total-return"}
_INTERVALS: Final = {
    **{f"{count}Min": f"{count}m" for count in (1, 2, 5, 15, 30)},
    "1Hour": "1h",
    "1Day": "1d",
}
_FIELDS: Final = ("Open", "High", "Low", "Close", "Volume")

History = Callable[..., Any]
"""Called with a symbol and the arguments of ``yfinance.Ticker.history``; gives a pandas frame."""


class Yahoo:
    """Yahoo's history.

    Parameters
    ----------
    patience : Patience
        Tries and waits: after too many requests, and where the network fails.
    adjustment : {"split", "all"}
        ``all`` takes out dividends as well.
    history : callable, optional
        What is asked instead of yfinance.

    Raises
    ------
    ConfigError
        The adjustment is unknown, or yfinance is not installed.
    """

    days_max = 7

    def __init__(
        self, patience: Patience, *, adjustment: str = "split", history: History | None = None
    ) -> None:
        if adjustment not in _BASES:
            message = (
                f"adjustment is {adjustment!r}; Yahoo knows {', '.join(_BASES)}: it has no raw "
                "prices"
            )
            raise ConfigError(message)
        self._patience = patience
        self._adjustment = adjustment
        self._history = history or _history()

    def origin(self, symbol: str) -> Origin:  # noqa: ARG002 - the same for every symbol
        """Return adjustment and basis."""
        return Origin(
            provider="yahoo",
            source="yfinance",
            adjustment=self._adjustment,
            basis=_BASES[self._adjustment],
        )

    async def bars(self, ask: Ask) -> Bars | None:
        """Return the history of a symbol; see :class:`Provider`."""
        interval = _INTERVALS.get(ask.frequency.name)
        if interval is None:
            message = (
                f"frequency is {ask.frequency.name}; Yahoo knows {', '.join(sorted(_INTERVALS))}"
            )
            raise ConfigError(message)
        # A bar that closes on the first day may begin on the day before. The end is exclusive.
        before = dt.timedelta(days=0 if ask.frequency.daily else 1)
        frame = await self._ask(
            ask.symbol,
            start=str(ask.start - before),
            end=str(ask.end + dt.timedelta(days=1)),
            interval=interval,
            auto_adjust=self._adjustment == "all",
            actions=False,
            timeout=self._patience.timeout_s,
            raise_errors=True,
        )
        if frame is None or not len(frame):
            return None
        missing = [name for name in _FIELDS if name not in frame.columns]
        if missing:
            message = f"Yahoo's answer for {ask.symbol} has no column {missing[0]}"
            raise DataError(message)
        wide = ask._replace(start=ask.start - before)
        basis = _BASES[self._adjustment]
        found = read_columns(f"{ask.symbol} from Yahoo", _columns(frame, ask), wide, basis)
        return None if found is None else cut(found, ask)

    async def _ask(self, symbol: str, **arguments: object) -> Any:  # noqa: ANN401 - pandas
        """Ask in a thread, and again where there were too many requests."""
        for failed in range(1, self._patience.tries + 1):
            try:
                return await asyncio.to_thread(self._history, symbol, **arguments)
            except Exception as error:  # noqa: BLE001 - the library raises what its parts raise
                kind = type(error).__name__
                if kind in {"YFPricesMissingError", "YFTzMissingError"}:
                    return None
                # The library's errors of the network are errors of the system too.
                again = kind == "YFRateLimitError" or isinstance(error, OSError)
                if again and failed < self._patience.tries:
                    await asyncio.sleep(self._patience.wait_s(failed))
                    continue
                reason = " ".join(str(error).split())[:200]
                message = f"Yahoo gave no bars of {symbol}: {kind}: {reason}"
                raise DataError(message) from None
        return None

    async def __aenter__(self) -> Self:
        """Do nothing: yfinance has connections of its own."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Do nothing."""


def _columns(frame: Any, ask: Ask) -> dict[str, Floats | Ints]:  # noqa: ANN401 - pandas
    """Return columns; a daily bar begins at midnight of its exchange, whose date counts."""
    index = frame.index
    if ask.frequency.daily:
        index = index.tz_localize(None)
    elif index.tz is None:
        message = f"Yahoo sends {ask.symbol} without a time zone"
        raise DataError(message)
    else:
        index = index.tz_convert("UTC").tz_localize(None)
    starts = index.as_unit("ns").to_numpy().astype("int64")
    fields = {name.lower(): frame[name].to_numpy("float64") for name in _FIELDS}
    return {"start_ns": starts, **fields}


def _history() -> History:
    try:
        import yfinance
    except ImportError:
        message = (
            "Yahoo needs yfinance, which is not installed. Install it with: "
            "pip install 'neural-trader[yahoo]'"
        )
        raise ConfigError(message) from None

    # What it logs, it raises as well, and we tell it once.
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)

    def history(symbol: str, **arguments: object) -> Any:  # noqa: ANN401 - pandas
        return yfinance.Ticker(symbol).history(**arguments)

    return history
