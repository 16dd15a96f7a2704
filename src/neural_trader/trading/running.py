"""The loop of paper trading: events of a feed go to an account until the feed ends."""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import aclosing

from neural_trader.backtesting import Result
from neural_trader.core import ConfigError, Costs, Instrument, Matching
from neural_trader.data.feeds import Feed
from neural_trader.strategies import CompiledStrategy, Strategy
from neural_trader.trading.paper import Paper, Progress

_NO_COSTS = Costs()


async def run_async(  # noqa: PLR0913 - one keyword for each thing that a user decides about a run
    strategy: Strategy | CompiledStrategy,
    feed: Feed,
    *,
    capital: float = 100_000.0,
    costs: Costs = _NO_COSTS,
    start: str | dt.date | None = None,
    warmup: str = "before",
    fill_at: str | None = None,
    max_leverage: float = 2.0,
    matching: Matching | None = None,
    instruments: Instrument | Mapping[str, Instrument] | None = None,
    on_progress: Callable[[Progress], object] | None = None,
) -> Result:
    """Paper trade a strategy on a feed until it ends; see :func:`run`.

    A task that is canceled closes the feed and leaves no result: hold a :class:`Paper` and hand it
    the events yourself where a run that is cut short must have one.
    """
    if not hasattr(feed, "about") or not hasattr(feed, "__aiter__"):
        message = (
            f"feed is a {type(feed).__name__}; expected a feed: feeds.Replay(...) makes one of bars"
        )
        raise ConfigError(message)
    paper = Paper(
        strategy,
        feed.about,
        capital=capital,
        costs=costs,
        start=start,
        warmup=warmup,
        fill_at=fill_at,
        max_leverage=max_leverage,
        matching=matching,
        instruments=instruments,
        on_progress=on_progress,
    )
    async with aclosing(aiter(feed)) as events:  # type: ignore[type-var]
        async for event in events:
            if not paper.take(event):
                break
    return paper.result()


def run(  # noqa: PLR0913 - one keyword for each thing that a user decides about a run
    strategy: Strategy | CompiledStrategy,
    feed: Feed,
    *,
    capital: float = 100_000.0,
    costs: Costs = _NO_COSTS,
    start: str | dt.date | None = None,
    warmup: str = "before",
    fill_at: str | None = None,
    max_leverage: float = 2.0,
    matching: Matching | None = None,
    instruments: Instrument | Mapping[str, Instrument] | None = None,
    on_progress: Callable[[Progress], object] | None = None,
) -> Result:
    """Paper trade a strategy on a feed until it ends: fills are simulated, no order leaves.

    Parameters
    ----------
    strategy : Strategy, Pairs or SmaCross
        Frames of intents and strategies that plan are refused: they need all bars at once.
    feed : Feed
        Of bars: ``feeds.Replay``, or ``feeds.Aggregated`` for ticks.
    capital, costs, start, warmup, fill_at, max_leverage, matching, instruments
        As in :func:`neural_trader.backtest`, with the same defaults.
    on_progress : callable, optional
        Called with a :class:`Progress` at every fill and after every slice of bars.

    Returns
    -------
    Result
        As of a backtest. Over a replay it equals the backtest on the same bars, field by field.

    Raises
    ------
    ConfigError
        An argument that cannot be used, a feed that is none, a running event loop: await
        :func:`run_async` there.
    DataError
        What the feed brings is not what it says, or not a bar.
    RunRefused
        Gross exposure went beyond ``max_leverage``: the run ends at once.

    Timing
    ------
    A decision at the close of a slice fills at the next bar of its symbol, at the earliest.

    Examples
    --------
    >>> from neural_trader import Pairs
    >>> from neural_trader.data import feeds
    >>> run(Pairs("KO", "PEP"), feeds.Replay("sp500-closes", symbols=["KO", "PEP"], speed=0)).trades
    105
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        message = "run was called where an event loop runs; await run_async(...) there"
        raise ConfigError(message)
    return asyncio.run(
        run_async(
            strategy,
            feed,
            capital=capital,
            costs=costs,
            start=start,
            warmup=warmup,
            fill_at=fill_at,
            max_leverage=max_leverage,
            matching=matching,
            instruments=instruments,
            on_progress=on_progress,
        )
    )
