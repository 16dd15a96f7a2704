"""A strategy that is Python code: what its author writes."""

from neural_trader.core import Fill
from neural_trader.strategies.context import Context


class Strategy:
    """A strategy that is Python code: subclass it and say what to do at each bar.

    ``symbols`` names what it trades; left empty, it trades all symbols of the bars it is given.
    ``notes`` are sentences that every result made with it must say.
    Parameters belong into ``__init__``, what changes during a run into ``on_start``: the same
    object may be run again, on history, on paper or live.

    Examples
    --------
    >>> class BuyAndHold(Strategy):
    ...     def on_bar(self, ctx):
    ...         if not ctx.positions and not ctx.open_orders:
    ...             ctx.target_weight(ctx.symbols[0], 1.0)
    """

    symbols: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def on_start(self, ctx: Context) -> None:
        """Set up: called once, before the first bar."""

    def on_bar(self, ctx: Context) -> None:
        """Decide: called at every close, once for all symbols that have a bar in the time slice."""

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        """Learn of a fill: called within the bar of the fill, before that bar has closed.

        What it cancels is canceled at once; what it orders works from the next bar on.
        """

    def on_stop(self, ctx: Context) -> None:
        """Finish: called once, after the last bar; orders are denied by now."""
