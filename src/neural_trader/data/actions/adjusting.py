"""Prices adjusted for corporate actions. Raw ones stay stored: this happens on read.

Going backward, the last price is the market's, and every action that comes in changes the prices
before it. Going forward, the first price is the market's, and history never changes. The returns
are the same.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from neural_trader.core import Block, DataError, Dividend, Split
from neural_trader.core.bars import Floats, Stamps
from neural_trader.core.sessions import first_ns, session_date
from neural_trader.data.actions.known import Actions, merged
from neural_trader.data.selection import Content

Adjust = Literal["splits", "total-return", "none"]
ADJUSTMENTS: Final[tuple[Adjust, ...]] = ("splits", "none", "total-return")
Direction = Literal["backward", "forward"]
DIRECTIONS: Final[tuple[Direction, ...]] = ("backward", "forward")


class Adjustment(NamedTuple):
    """For what raw prices are adjusted, from which end, and by which table beside what is known."""

    adjust: Adjust = "splits"
    direction: Direction = "backward"
    actions: Actions | None = None


def adjusted_content(
    name: str, content: Content, symbols: Sequence[str] | None, how: Adjustment
) -> Content:
    """Return a content with adjusted prices, and with what they now know as its basis.

    Parameters
    ----------
    name : str
        For messages.
    content : Content
        Of any basis. Prices that are not raw are left as they are, where that is what is asked.
    symbols : sequence of str or None
        Those that are asked for; None is all. A dividend that cannot be of others does not matter.
    how : Adjustment

    Raises
    ------
    DataError
        Actions are given for prices that are not raw; total-return prices are asked for and cannot
        be had; two tables disagree; or a dividend is not below the close before it.
    """
    basis, wanted = content.basis, content.symbols if symbols is None else tuple(symbols)
    if how.actions is not None and basis != "raw":
        message = (
            f"{name} holds {basis} prices; corporate actions are for raw ones. Leave the actions "
            "out, or load raw prices"
        )
        raise DataError(message)
    if how.adjust == "total-return" and basis != "raw":
        if basis == "total-return":
            return content
        message = (
            f"{name} holds {basis} prices; total-return prices are made of raw ones and a table of "
            "actions. Load raw prices"
        )
        raise DataError(message)
    paid = tuple(each for known in content.dividends.values() for each in known)
    known = Actions(content.splits, paid)
    if how.actions is not None:
        known = merged(known, how.actions.of(content.symbols))
    if how.adjust == "none":
        return content._replace(splits=known.splits)
    if how.adjust == "splits":
        if not known.splits:
            return content
        known, basis = Actions(known.splits), "split-adjusted"
    else:
        if how.actions is None:
            _check_dividends_known(name, content, wanted)
        known, basis = Actions(known.splits, known.of(wanted).dividends), "total-return"
    blocks = tuple(adjusted(block, known, how.direction) for block in content.blocks)
    return content._replace(blocks=blocks, basis=basis, splits=())


def _check_dividends_known(name: str, content: Content, wanted: Sequence[str]) -> None:
    """Refuse to call prices total-return while nobody knows which dividends were paid."""
    unknown = [symbol for symbol in wanted if symbol not in content.dividends]
    if unknown:
        message = (
            f"{name} does not know the dividends of {', '.join(unknown[:6])}"
            f"{', ...' if len(unknown) > 6 else ''}; total-return prices need them. Give a table "
            "(actions=), or bring one into the catalog: neural-trader market-data actions --import"
        )
        raise DataError(message)


def crossed(splits: Sequence[Split], blocks: Sequence[Block]) -> tuple[Split, ...]:
    """Return the splits that have bars of their symbol on both sides."""
    return tuple(
        split
        for split in splits
        if any(
            split.symbol in block.row_of
            and block.ts_close_ns[0] < first_ns(split.day) <= block.ts_close_ns[-1]
            for block in blocks
        )
    )


def adjusted(block: Block, actions: Actions, direction: Direction = "backward") -> Block:
    """Return a block with prices adjusted for splits and dividends, volumes for splits.

    Parameters
    ----------
    block : Block
        Raw prices.
    actions : Actions
        Of any symbols. One that has no bar before it, or none from its day on, changes nothing.
    direction : {"backward", "forward"}
        Whether the last or the first price stays the market's.

    Raises
    ------
    DataError
        A dividend is not below the close before it.

    Timing
    ------
    Every known action counts, whatever range is loaded later, so that a bar has the same values in
    every range. Going backward, the level of an early price therefore knows of later actions; its
    returns do not. Going forward, no price knows of a later action.

    Notes
    -----
    Backward, prices before a split are divided by its ratio and volumes multiplied by it; prices
    before a dividend are multiplied by 1 - D / C, with C the last raw close before the ex-date and
    D the dividends that lie between this close and the next bar, in shares of that close. Forward
    does the inverse to what comes after. A split and a dividend of one day: the dividend is paid
    on the old shares.

    References
    ----------
    CRSP, "Data definitions": returns of a security with distributions; the factor is 1 - D / C.
    """
    fields = {name: values.copy() for name, values in block.fields.items()}
    with np.errstate(over="ignore", under="ignore"):
        for symbol, own in actions.by_symbol().items():
            if symbol in block.row_of:
                _adjust(block, fields, symbol, own, direction=direction)
    for values in fields.values():
        values.flags.writeable = False
    return Block(block.symbols, block.ts_close_ns, fields)


def _adjust(
    block: Block, fields: dict[str, Floats], symbol: str, own: Actions, *, direction: Direction
) -> None:
    """Adjust the columns of one symbol in place."""
    stamps, row = block.ts_close_ns, block.row_of[symbol]
    splits = [each for each in own.splits if 0 < _place(stamps, each) < len(stamps)]
    for split in splits:
        at = _place(stamps, split)
        side = slice(None, at) if direction == "backward" else slice(at, None)
        for name, values in fields.items():
            if (name == "volume") == (direction == "backward"):
                values[row, side] *= split.ratio
            else:
                values[row, side] /= split.ratio
    if own.dividends:
        steps = _steps(stamps, block.fields["close"][row], splits, own.dividends)
        scale = _scale(steps, len(stamps), direction)
        for name, values in fields.items():
            if name != "volume":
                values[row] *= scale
    for name, values in fields.items():
        lowest = 0.0 if name == "volume" else np.finfo(np.float64).tiny
        if not (np.isfinite(values[row]).all() and (values[row] >= lowest).all()):
            message = (
                f"{symbol}: its actions take {name} out of what a number can hold; expected ratios "
                "such as 2 for 2:1. Mend the table"
            )
            raise DataError(message)


def _place(stamps: Stamps, action: Split | Dividend) -> int:
    """Return the first bar that closes on or after the ex-date."""
    return int(np.searchsorted(stamps, first_ns(action.day), "left"))


def _steps(
    stamps: Stamps, closes: Floats, splits: Sequence[Split], dividends: Sequence[Dividend]
) -> list[tuple[int, float]]:
    """Return the first bar without each dividend, and its factor 1 - D / C, by time."""
    sums: dict[int, float] = {}
    for each in dividends:
        at = _place(stamps, each)
        if not 0 < at < len(stamps):
            continue
        # Shares that were split since the close before: the amount is told in new ones.
        shares = 1.0
        for split in splits:
            if split.day < each.day and _place(stamps, split) == at:
                shares *= split.ratio
        sums[at] = sums.get(at, 0.0) + each.amount * shares
        if sums[at] >= closes[at - 1]:
            message = (
                f"{each.symbol}: the dividend of {sums[at]!r} on {each.date} is not below the "
                f"close before it, {float(closes[at - 1])!r} on {session_date(stamps[at - 1])}; "
                "expected money a share, of the shares and in the currency of the prices. Mend the "
                "table"
            )
            raise DataError(message)
    return [(at, 1.0 - paid / float(closes[at - 1])) for at, paid in sorted(sums.items())]


def _scale(steps: Sequence[tuple[int, float]], count: int, direction: Direction) -> Floats:
    """Return what each bar is multiplied by, shape (count,)."""
    scale = np.ones(count)
    product = 1.0
    if direction == "backward":
        stop = [at for at, _ in steps]
        for k in range(len(steps) - 1, -1, -1):
            product *= steps[k][1]
            scale[stop[k - 1] if k else 0 : stop[k]] = product
    else:
        for at, factor in steps:
            product /= factor
            scale[at:] = product
    return scale
