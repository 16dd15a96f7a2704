"""Corporate actions that are known: splits and dividends, each once."""

from collections.abc import Container, Sequence
from typing import NamedTuple

from neural_trader.core import DataError, Dividend, Split


class Actions(NamedTuple):
    """Splits and cash dividends of any number of symbols, by day.

    Stock dividends are splits: 5 % in shares is a split of ratio 1.05.
    """

    splits: tuple[Split, ...] = ()
    dividends: tuple[Dividend, ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that have an action, sorted."""
        held = {each.symbol for each in self.splits} | {each.symbol for each in self.dividends}
        return tuple(sorted(held))

    def of(self, symbols: Container[str]) -> "Actions":
        """Return the actions of some symbols."""
        return Actions(
            tuple(each for each in self.splits if each.symbol in symbols),
            tuple(each for each in self.dividends if each.symbol in symbols),
        )

    def by_symbol(self) -> dict[str, "Actions"]:
        """Return the actions of each symbol that has some."""
        splits: dict[str, list[Split]] = {}
        dividends: dict[str, list[Dividend]] = {}
        for split in self.splits:
            splits.setdefault(split.symbol, []).append(split)
        for paid in self.dividends:
            dividends.setdefault(paid.symbol, []).append(paid)
        return {
            symbol: Actions(tuple(splits.get(symbol, ())), tuple(dividends.get(symbol, ())))
            for symbol in self.symbols
        }


def merged(known: Actions, new: Actions) -> Actions:
    """Join two tables: what both know stands once.

    Raises
    ------
    DataError
        Both know a split or a dividend of one symbol and day, with another ratio or amount.
    """
    _check_same("split", known.splits, new.splits)
    _check_same("dividend", known.dividends, new.dividends)
    _check_currencies((*known.dividends, *new.dividends))
    return Actions(
        tuple(sorted({*known.splits, *new.splits}, key=lambda each: (each.day, each.symbol))),
        tuple(
            sorted(
                {*known.dividends, *new.dividends},
                key=lambda each: (each.day, each.symbol, each.special),
            )
        ),
    )


def _check_same(
    word: str, known: Sequence[Split] | Sequence[Dividend], new: Sequence[Split | Dividend]
) -> None:
    there = {_key(each): each for each in known}
    for each in new:
        other = there.get(_key(each), each)
        if other != each:
            message = (
                f"{each.symbol} has a {word} on {each.date} of {_value(other)} there and of "
                f"{_value(each)} in the new table; expected one value. Mend the table, or replace "
                "what is there"
            )
            raise DataError(message)


def _key(action: Split | Dividend) -> tuple[str, int, bool]:
    return action.symbol, action.day, isinstance(action, Dividend) and action.special


def _value(action: Split | Dividend) -> str:
    if isinstance(action, Split):
        return repr(action.ratio)
    return f"{action.amount!r} {action.currency}".strip()


def _check_currencies(dividends: Sequence[Dividend]) -> None:
    currencies: dict[str, str] = {}
    for each in dividends:
        first = currencies.setdefault(each.symbol, each.currency)
        if first != each.currency:
            message = (
                f"{each.symbol} has dividends in {first or 'no currency'} and in "
                f"{each.currency or 'no currency'} ({each.date}); expected that of its prices. "
                "Convert them"
            )
            raise DataError(message)
