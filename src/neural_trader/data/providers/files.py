"""Bars from files: those of this machine, the bundled samples, and any that HTTP can reach."""

import asyncio
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote, urlsplit

from neural_trader.core import Bars, Basis, ConfigError, DataError
from neural_trader.data.bundled import find_sample
from neural_trader.data.catalog import Origin
from neural_trader.data.content import read_content
from neural_trader.data.loading import load
from neural_trader.data.paths import find_path
from neural_trader.data.providers.protocol import Ask, cut
from neural_trader.data.providers.transport import HalfAnswer, Patience, Transport, place_of
from neural_trader.data.readers import read_tables
from neural_trader.data.selection import Span, select

_PLACES: Final = ("symbol", "frequency", "start", "end")


class Files:
    """A sample, a file or a folder, as ``nt.load`` reads it.

    Parameters
    ----------
    source : str
        What is loaded.
    provider : {"local", "samples"}
        What the provenance calls it.
    basis : {"raw", "split-adjusted", "total-return"}, optional
        What the prices of a file know of corporate actions; a sample knows its own.
    """

    days_max = 400 * 366

    def __init__(self, source: str, *, provider: str = "local", basis: Basis | None = None) -> None:
        if find_sample(source) is None:
            find_path(source)
        self._source, self._provider = source, provider
        self._basis: Basis | None = basis

    def origin(self, symbol: str) -> Origin:
        """Return the source's name and basis."""
        bars = self._load(symbol)
        return Origin(
            provider=self._provider, source=bars.name, adjustment=bars.basis, basis=bars.basis
        )

    async def bars(self, ask: Ask) -> Bars | None:
        """Return the bars of a symbol in a range; see :class:`Provider`."""
        return cut(await asyncio.to_thread(self._load, ask.symbol), ask)

    def _load(self, symbol: str) -> Bars:
        # Raw prices are stored as they are; the splits of a sample go along.
        return load(self._source, symbols=symbol, basis=self._basis, adjust="none")

    async def __aenter__(self) -> Self:
        """Do nothing: the source is read."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Do nothing."""


class HttpFiles:
    """CSV or Parquet behind an address, one file a symbol or one that holds them all.

    Parameters
    ----------
    template : str
        The address, in which ``{symbol}``, ``{frequency}``, ``{start}`` and ``{end}`` are replaced.
        Its query is neither stored nor shown: it may hold a key.
    patience : Patience
        Tries and waits.
    basis : {"raw", "split-adjusted", "total-return"}, optional
        What the prices know of corporate actions.
    connections, per_minute : int
        Requests at once and in a minute.

    Raises
    ------
    ConfigError
        The template is no address, or holds another word in braces.
    """

    days_max = 400 * 366

    def __init__(
        self,
        template: str,
        patience: Patience,
        *,
        basis: Basis | None = None,
        connections: int = 16,
        per_minute: int | None = None,
    ) -> None:
        parts = urlsplit(template)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            message = f"{place_of(template)!r} is no address; expected https://HOST/{{symbol}}.csv"
            raise ConfigError(message)
        try:
            template.format(**dict.fromkeys(_PLACES, ""))
        except (KeyError, IndexError, ValueError, AttributeError):
            known = ", ".join(f"{{{name}}}" for name in _PLACES)
            message = f"the address {place_of(template)} may hold {known} and no other braces"
            raise ConfigError(message) from None
        self._template = template
        self._basis: Basis | None = basis
        self._transport = Transport(
            patience,
            connections=connections,
            per_minute=per_minute,
            secrets=(parts.query, parts.password or ""),
        )

    def origin(self, symbol: str) -> Origin:  # noqa: ARG002 - the same for every symbol
        """Return the address without its query, and the basis."""
        return Origin(
            provider="http",
            source=place_of(self._template),
            adjustment=self._basis or "raw",
            basis=self._basis or "raw",
        )

    async def bars(self, ask: Ask) -> Bars | None:
        """Return the bars of a symbol in a range; see :class:`Provider`."""
        address = self._template.format(
            symbol=quote(ask.symbol, safe=""),
            frequency=ask.frequency.name,
            start=ask.start,
            end=ask.end,
        )

        def read(body: bytes) -> Bars:
            return _parse(body, ask.symbol, place_of(address), self._basis)

        found = await self._transport.get(address, {}, read)
        return None if found is None else cut(found, ask)

    async def __aenter__(self) -> Self:
        """Open connections."""
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close them."""
        await self._transport.__aexit__(*error)


def _parse(body: bytes, symbol: str, place: str, basis: Basis | None) -> Bars:
    """Read the bytes of a file: Parquet by its first bytes, anything else as CSV."""
    parquet = body[:4] == b"PAR1"
    if parquet and body[-4:] != b"PAR1":
        message = "the Parquet file is cut"
        raise HalfAnswer(message)
    # The file's stem is the symbol of a table that names none.
    path = Path(f"{symbol.replace('/', '-')}{'.parquet' if parquet else '.csv'}")
    tables = [
        table._replace(name=place, symbol=symbol) for table in read_tables(path, [(path, body)])
    ]
    content = read_content(place, tables)
    blocks = select(place, content, (symbol,), Span(None, None))
    if basis is None and content.basis != "raw":
        message = (
            f"{place} is {content.basis}, and would be stored as raw. Say so with the option basis"
        )
        raise DataError(message)
    return Bars(blocks, name=place, basis=basis or "raw")
