"""Where the bars of a file come from. It is kept inside the file, so that both change together."""

import datetime as dt
from typing import Final

import msgspec

from neural_trader.core import BASES, Basis, ConfigError, DataError, Dividend, Split
from neural_trader.core.sessions import session_day

_WRITES_MAX: Final = 50


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who sold the bars, and which ones: bars of two origins never stand in one file.

    Parameters
    ----------
    provider : str
        ``alpaca``, ``yahoo``, ``http``, ``local``, ``samples``, ``import``.
    source : str
        The host, file or sample; never a key.
    feed : str
        Whose trades they sum up: ``sip`` is all of the United States, ``iex`` one exchange with a
        few per cent of the volume. Empty: the source doesn't say.
    adjustment : str
        The provider's word for what the prices know of corporate actions.
    basis : {"raw", "split-adjusted", "total-return"}
        The same in ours.
    """

    provider: str
    source: str = ""
    feed: str = ""
    adjustment: str = ""
    basis: Basis = "raw"

    def __post_init__(self) -> None:
        """Check the basis."""
        if self.basis not in BASES:
            message = f"basis is {self.basis!r}; expected one of {', '.join(map(repr, BASES))}"
            raise ConfigError(message)


class KnownSplit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A split that raw prices are not adjusted for."""

    date: dt.date
    ratio: float


class KnownDividend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cash dividend, in money a share of the close before its ex-date."""

    date: dt.date
    amount: float
    currency: str = ""
    special: bool = False


class Write(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change of a file: when, and how many bars it added and replaced."""

    at: str
    added: int
    replaced: int


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a file says about its bars.

    Parameters
    ----------
    symbol, frequency : str
        Which series it is.
    origin : Origin
        Where it comes from.
    covered : tuple of (date, date)
        Ranges of session dates, both inclusive, for which the provider was asked and answered in
        full: what has no bar there had none.
    splits : tuple of KnownSplit
        Those that raw prices are not adjusted for.
    dividends : tuple of KnownDividend or None
        Those that were paid. None: nobody has told yet, as in files from before there were any.
    labels : tuple of str
        What every result made from the bars must say, such as ``survivors``.
    sha256 : str
        Of symbol, basis and columns, as ``Bars.data_hash`` counts it.
    rows : int
        Bars in the file.
    first, last : str
        Close of the first and of the last bar, ISO, UTC.
    writes : tuple of Write
        The last 50 changes.
    version : str
        The neural-trader that wrote it.
    """

    symbol: str
    frequency: str
    origin: Origin
    covered: tuple[tuple[dt.date, dt.date], ...] = ()
    splits: tuple[KnownSplit, ...] = ()
    dividends: tuple[KnownDividend, ...] | None = None
    labels: tuple[str, ...] = ()
    sha256: str = ""
    rows: int = 0
    first: str = ""
    last: str = ""
    writes: tuple[Write, ...] = ()
    version: str = ""

    @property
    def known_splits(self) -> tuple[Split, ...]:
        """The splits in the words of bars."""
        return tuple(
            Split(self.symbol, session_day(each.date, option="date"), each.ratio)
            for each in self.splits
        )

    @property
    def known_dividends(self) -> tuple[Dividend, ...] | None:
        """The dividends in the words of bars; None where nobody has told."""
        if self.dividends is None:
            return None
        return tuple(
            Dividend(
                self.symbol,
                session_day(each.date, option="date"),
                each.amount,
                each.currency,
                each.special,
            )
            for each in self.dividends
        )

    def after(self, write: Write) -> tuple[Write, ...]:
        """Return the changes, with one more."""
        return (*self.writes, write)[-_WRITES_MAX:]


def encode(provenance: Provenance) -> str:
    """Return the text that a file keeps."""
    return msgspec.json.encode(provenance).decode()


def decode(text: str | None, name: str) -> Provenance:
    """Read the text that a file keeps.

    Raises
    ------
    DataError
        There is none, or it is damaged.
    """
    if text is None:
        message = (
            f"{name} is no file of a catalog: it has no provenance. Bring it in with: "
            "neural-trader market-data import"
        )
        raise DataError(message)
    try:
        return msgspec.json.decode(text, type=Provenance)
    except (msgspec.MsgspecError, ConfigError) as error:
        message = f"{name}: its provenance is damaged ({error}). Fetch or import it again"
        raise DataError(message) from None


Days = tuple[dt.date, dt.date]
_ONE: Final = dt.timedelta(days=1)


def joined(ranges: tuple[Days, ...]) -> tuple[Days, ...]:
    """Return ranges of days in order, those that touch or overlap as one."""
    out: list[Days] = []
    for first, last in sorted(ranges):
        if out and first - _ONE <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return tuple(out)


def uncovered(wanted: Days, ranges: tuple[Days, ...]) -> tuple[Days, ...]:
    """Return what of a range of days no other range covers."""
    first, last = wanted
    out: list[Days] = []
    for low, high in joined(ranges):
        if high < first or low > last:
            continue
        if low > first:
            out.append((first, low - _ONE))
        first = high + _ONE
    if first <= last:
        out.append((first, last))
    return tuple(out)
