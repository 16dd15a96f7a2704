"""The book of an account in integers: cash, positions, what is open, and what it may cost.

Money is in minor units, and a position is what ``core.position`` says: average cost; fees apart; a
fill through zero is a close and an open. Where a cost must be divided, halves go to the even minor
unit. At all times, to the unit::

    cash = opening cash + realized - fees - cost of what is held

Exposures are sums of price times quantity over instruments whose ticks are worth different
amounts: they are kept as multiples of a common fraction of a minor unit, so that they are exact.
"""

from neural_trader.core.position import book_fill, share_evenly
from neural_trader.execution.listing import Listing


class Holding:
    """What an account has of one instrument: position, and the lots of its open orders.

    ``buys`` and ``sells`` are open lots, both counted positive: the worst that can come is that all
    of one side fills and none of the other. ``is_blind``: something is held or open, and without a
    mark it counts as nothing in the sums.
    """

    __slots__ = (
        "buys",
        "cost",
        "fees",
        "gross",
        "held",
        "is_blind",
        "listing",
        "long",
        "mark",
        "qty",
        "realized",
        "sells",
        "short",
        "weight",
    )

    def __init__(self, listing: Listing, weight: int) -> None:
        self.listing = listing
        self.weight = weight
        self.qty = 0
        self.cost = 0
        self.realized = 0
        self.fees = 0
        self.buys = 0
        self.sells = 0
        self.mark = 0
        self.held = 0
        self.gross = 0
        self.long = 0
        self.short = 0
        self.is_blind = False

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held and nothing open."""
        return not (self.qty or self.buys or self.sells)

    def book(self, qty: int, value: int, fee: int) -> None:
        """Book a fill: ``qty`` signed lots that cost ``value`` (positive) and ``fee``."""
        self.fees += fee
        self.qty, self.cost, realized = book_fill(self.qty, self.cost, qty, value, share_evenly)
        self.realized += realized


class Book:
    """Cash and holdings of an account, with their exposures at the marks.

    ``gross``, ``long``, ``short`` and ``held`` are sums over the holdings, in minor units times
    ``scale``: the worst gross exposure, the worst signed exposure upwards and downwards, and what
    is held now. ``blind`` counts the holdings whose worth is not known, so that the sums are too
    small.
    """

    __slots__ = ("blind", "cash", "gross", "held", "holdings", "long", "opening", "scale", "short")

    def __init__(self, cash: int, scale: int) -> None:
        self.opening = cash
        self.cash = cash
        self.scale = scale
        self.holdings: dict[str, Holding] = {}
        self.gross = 0
        self.long = 0
        self.short = 0
        self.held = 0
        self.blind = 0

    def holding(self, listing: Listing, mark: int) -> Holding:
        """Return the holding of an instrument, made when it is first asked for."""
        holding = self.holdings.get(listing.symbol)
        if holding is None:
            holding = Holding(listing, listing.weight(self.scale))
            holding.mark = mark
            self.holdings[listing.symbol] = holding
        return holding

    @property
    def equity(self) -> int:
        """Cash and positions at the marks, in minor units, rounded down."""
        return self.cash + self.held // self.scale

    @property
    def is_marked(self) -> bool:
        """Whether everything that is held has a price."""
        return all(holding.mark or not holding.qty for holding in self.holdings.values())

    def fill(self, holding: Holding, qty: int, value: int, fee: int) -> None:
        """Book a fill, and take it from what is open."""
        if qty > 0:
            self.cash -= value + fee
            holding.buys -= qty
        else:
            self.cash += value - fee
            holding.sells += qty
        holding.book(qty, value, fee)
        self.revalue(holding)

    def open(self, holding: Holding, lots: int) -> None:
        """Count signed lots as open; those that are no longer open come with the other sign.

        The sign of ``lots`` tells the side only for lots that open; see ``close``.
        """
        if lots > 0:
            holding.buys += lots
        else:
            holding.sells -= lots
        self.revalue(holding)

    def close(self, holding: Holding, lots: int) -> None:
        """Count signed lots as open no more."""
        if lots > 0:
            holding.buys -= lots
        else:
            holding.sells += lots
        self.revalue(holding)

    def revalue(self, holding: Holding) -> None:
        """Bring the sums up to date with what a holding has become, or its mark."""
        worth = holding.mark * holding.weight
        qty = holding.qty
        is_blind = not worth and bool(qty or holding.buys or holding.sells)
        if is_blind is not holding.is_blind:
            self.blind += 1 if is_blind else -1
            holding.is_blind = is_blind
        high = (qty + holding.buys) * worth
        low = (qty - holding.sells) * worth
        gross = high if high > -low else -low
        held = qty * worth
        self.gross += gross - holding.gross
        self.long += high - holding.long
        self.short += low - holding.short
        self.held += held - holding.held
        holding.gross = gross
        holding.long = high
        holding.short = low
        holding.held = held
