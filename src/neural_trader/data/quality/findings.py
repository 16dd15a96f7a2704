"""What a look at data finds: one finding a place, with what was expected and what to do."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from neural_trader.core.bars import Bars
from neural_trader.core.sessions import DAY_NS, session_date

if TYPE_CHECKING:
    import polars as pl

Severity = Literal["error", "warning", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
KINDS: Final[Mapping[str, str]] = {
    "refused": "not what bars must be: these bars cannot be loaded",
    "gap": "bars that should be there and are not",
    "extra": "bars outside of the sessions of the exchange",
    "outlier": "a price that leaves and comes back at once: a bad print, most likely",
    "large_move": "a price that moves far and stays",
    "split_suspect": "a jump by the ratio of a split that no table knows",
    "stale": "equal closes in a row",
    "zero_volume": "bars in which nothing was traded",
    "time_slip": "stamps that are off by whole hours or days",
}
"""The kinds of findings, in the order in which they are shown, with what each means."""


COLUMNS: Final = (
    *("symbol", "kind", "severity", "first", "last", "bars", "value"),
    *("expected", "message", "advice"),
)
"""What a table of findings holds, in this order."""


class Finding(NamedTuple):
    """Something in the data that a person should look at.

    Attributes
    ----------
    symbol : str
        Empty where it concerns all symbols.
    kind : str
        One of ``KINDS``.
    severity : {"error", "warning", "note"}
        Bars that cannot be used; bars that are wrong, most likely; what is worth knowing.
    first_ns, last_ns : int
        Closes of the first and last bar concerned, nanoseconds UTC; 0 where it has no time.
    bars : int
        How many bars, or days of them, are concerned or missing.
    value : float or None
        What was found, such as a return; None where words say it.
    expected : str
        What would have been no finding.
    message, advice : str
        What was found; what to do.
    """

    symbol: str
    kind: str
    severity: Severity
    first_ns: int
    last_ns: int
    bars: int
    value: float | None
    expected: str
    message: str
    advice: str

    @property
    def first(self) -> str:
        """The close of its first bar as text; empty where it has no time."""
        return stamp_text(self.first_ns) if self.first_ns else ""

    @property
    def last(self) -> str:
        """The close of its last bar as text; empty where it has no time."""
        return stamp_text(self.last_ns) if self.last_ns else ""


class Quality(NamedTuple):
    """What was found in some data.

    Attributes
    ----------
    name : str
        Of the data.
    bars : tuple of Bars
        What could be loaded: one for each part of the source that stands alone.
    symbols : tuple of str
        All symbols that were looked at, refused ones too.
    findings : tuple of Finding
        Worst first, then in the order of symbols, kinds and times.
    calendar : str
        The exchange whose sessions the bars were held to; empty: they were not.
    """

    name: str
    bars: tuple[Bars, ...]
    symbols: tuple[str, ...]
    findings: tuple[Finding, ...]
    calendar: str

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in SEVERITIES}

    def by_symbol(self) -> dict[str, Counter[str]]:
        """Return how many findings of each kind each symbol has; an empty symbol is all of them."""
        table: dict[str, Counter[str]] = {symbol: Counter() for symbol in self.symbols}
        for finding in self.findings:
            table.setdefault(finding.symbol, Counter())[finding.kind] += 1
        return table

    def to_polars(self) -> "pl.DataFrame":
        """Return the findings as a Polars frame, a row each."""
        import polars as pl

        types = dict.fromkeys(COLUMNS, pl.String) | {"bars": pl.Int64, "value": pl.Float64}
        return pl.DataFrame(
            {name: [getattr(one, name) for one in self.findings] for name in COLUMNS}, schema=types
        )


def in_order(symbols: Sequence[str], findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings worst first, then by symbol, kind and time."""
    place = {symbol: at for at, symbol in enumerate(symbols)}
    kinds = list(KINDS)
    return tuple(
        sorted(
            findings,
            key=lambda one: (
                SEVERITIES.index(one.severity),
                place.get(one.symbol, -1),
                kinds.index(one.kind),
                one.first_ns,
            ),
        )
    )


def stamp_text(stamp: int) -> str:
    """Return a stamp as its session date where it closes a UTC day, else to the second."""
    import numpy as np

    if stamp % DAY_NS == DAY_NS - 1:
        return session_date(stamp).isoformat()
    return f"{np.datetime64(stamp, 'ns').astype('datetime64[s]')}Z"
