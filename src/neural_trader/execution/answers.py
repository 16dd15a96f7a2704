"""What a client is told that asks: an account's open orders and positions."""

from collections.abc import Iterator

from neural_trader.execution import messages as m
from neural_trader.execution.accounts import Account


def open_orders(account: Account) -> Iterator[m.OpenOrder]:
    """Yield what is open, oldest first."""
    for order in account.open.values():
        yield m.OpenOrder(
            order.no,
            order.symbol,
            order.qty,
            order.filled,
            order.kind,
            order.tif,
            order.limit,
            order.trigger,
            order.status,
        )


def positions(account: Account) -> Iterator[m.Position]:
    """Yield what is held, and what has been traded."""
    for symbol, holding in account.book.holdings.items():
        if holding.qty or holding.realized or holding.fees:
            yield m.Position(
                symbol, holding.qty, holding.cost, holding.realized, holding.fees, holding.mark
            )
