"""HTTP as providers need it: pooled connections, a rate limit, and tries that do not give up early.

A request is tried again after a reset, a stall, half an answer, 408, 425, 429 or 5xx. The waits
double and are spread at random, so that clients which failed together do not come back together; a
``Retry-After`` is kept, and after a 429 nobody asks before it is over.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Final, NamedTuple, Self, TypeVar
from urllib.parse import urlsplit

from neural_trader.core import ConfigError, DataError

if TYPE_CHECKING:
    import aiohttp

_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_ANSWER_BYTES_MAX: Final = 256 << 20
_HIDDEN: Final = "***"
T = TypeVar("T")


class HalfAnswer(Exception):  # noqa: N818 - it names what came
    """An answer ends early or is no answer at all: it is worth another try."""


class Patience(NamedTuple):
    """How long and how often to try.

    ``jitter`` gives a number in [0, 1) for each wait; the seconds between two tries are ``first_s``
    doubled with each try, up to ``longest_s``, times 0.5 to 1.
    """

    jitter: Callable[[], float]
    tries: int = 8
    first_s: float = 0.25
    longest_s: float = 30.0
    timeout_s: float = 60.0
    stall_s: float = 15.0

    def wait_s(self, failed: int) -> float:
        """Return how long to wait after so many failures, 1 or more."""
        full_s = min(self.first_s * 2 ** min(failed - 1, 30), self.longest_s)
        return float(full_s * (0.5 + 0.5 * self.jitter()))


class Transport:
    """GET requests to one provider.

    Parameters
    ----------
    patience : Patience
        Tries and waits.
    connections : int
        Most requests on the way at once.
    per_minute : int or None
        Most requests that are sent in any 60 seconds; None: no limit.
    headers : mapping
        Sent with every request.
    secrets : tuple of str
        What messages must not show, even where the other side says it.
    """

    def __init__(
        self,
        patience: Patience,
        *,
        connections: int,
        per_minute: int | None = None,
        headers: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self._patience = patience
        self._connections = connections
        self._per_minute = per_minute
        self._headers = dict(headers or {})
        self._secrets = tuple(each for each in secrets if each)
        self._sent: deque[float] = deque()
        self._not_before = 0.0
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the pool of connections."""
        aiohttp = _library()
        patience = self._patience
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            timeout=aiohttp.ClientTimeout(
                total=patience.timeout_s,
                sock_connect=patience.stall_s,
                sock_read=patience.stall_s,
            ),
            headers=self._headers,
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(
        self, url: str, params: Mapping[str, str], read: Callable[[bytes], T]
    ) -> T | None:
        """Ask until there is a whole answer.

        Parameters
        ----------
        url : str
            Without its query.
        params : mapping
            The query.
        read : callable
            Turns the body into what is returned; it raises :class:`HalfAnswer` for a cut one.

        Returns
        -------
        object or None
            What ``read`` made of it; None where the other side knows nothing of it (404).

        Raises
        ------
        ConfigError
            The keys are refused (401, 403).
        DataError
            The request was refused, or every try failed.
        """
        failed, reason = 0, ""
        while failed < self._patience.tries:
            if failed:
                await asyncio.sleep(self._patience.wait_s(failed))
            await self._turn()
            status, body, retry_after_s, reason = await self._once(url, params)
            if status == 200:
                try:
                    return read(body)
                except HalfAnswer as error:
                    reason = str(error)
            elif status == 404:
                return None
            elif status and status not in _AGAIN:
                raise self._refusal(url, status, body)
            if retry_after_s:
                now = asyncio.get_running_loop().time()
                self._not_before = max(self._not_before, now + retry_after_s)
            failed += 1
        message = (
            f"{place_of(url)} gave no answer in {failed} tries; the last time: "
            f"{self._hide(reason)}. Run the command again: what has come is kept"
        )
        raise DataError(message)

    async def _once(self, url: str, params: Mapping[str, str]) -> tuple[int, bytes, float, str]:
        """Ask once: status (0: no answer), body, seconds to wait, and what went wrong."""
        aiohttp = _library()
        if self._session is None:
            message = "the transport is used outside of its async with"
            raise ConfigError(message)
        try:
            # Nobody else may get the keys: an answer that sends us elsewhere is refused.
            async with self._session.get(url, params=params, allow_redirects=False) as response:
                body = bytearray()
                async for chunk in response.content.iter_chunked(1 << 16):
                    body += chunk
                    if len(body) > _ANSWER_BYTES_MAX:
                        message = f"{place_of(url)} sends more than {_ANSWER_BYTES_MAX >> 20} MiB"
                        raise DataError(message)
                after = response.headers.get("Retry-After", "")
                return response.status, bytes(body), self._seconds(after), f"{response.status}"
        except TimeoutError:
            return 0, b"", 0.0, "it stalled"
        except aiohttp.InvalidURL:
            message = f"{place_of(url)!r} is no address; expected https://HOST/PATH"
            raise ConfigError(message) from None
        except aiohttp.ClientError as error:
            return 0, b"", 0.0, f"{type(error).__name__}: {error}"

    def _seconds(self, text: str) -> float:
        """Read a Retry-After in seconds; a date, or nonsense, counts as none."""
        with contextlib.suppress(ValueError):
            return min(max(float(text), 0.0), self._patience.longest_s)
        return 0.0

    async def _turn(self) -> None:
        """Wait until a request may be sent."""
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            while self._sent and self._sent[0] <= now - 60:
                self._sent.popleft()
            ready = self._not_before
            if self._per_minute is not None and len(self._sent) >= self._per_minute:
                ready = max(ready, self._sent[0] + 60)
            if ready <= now:
                self._sent.append(now)
                if self._per_minute is None:
                    self._sent.clear()
                return
            await asyncio.sleep(ready - now)

    def _refusal(self, url: str, status: int, body: bytes) -> Exception:
        said = " ".join(self._hide(body[:1000].decode("utf-8", "replace")).split())[:200]
        words = f"{place_of(url)} answers {status}: {said or 'nothing more'}"
        if status in {401, 403}:
            return ConfigError(f"{words}. Check the keys, and what their plan includes")
        if 300 <= status < 400:
            return DataError(f"{words}. It sends us elsewhere: give the address that answers")
        return DataError(f"{words}. Check symbol, range and frequency")

    def _hide(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text


def place_of(url: str) -> str:
    """Return host and path of an address: its query and its user may hold keys."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{host}{parts.path}"


def _library() -> ModuleType:
    try:
        import aiohttp
    except ImportError:
        message = (
            "providers on the network need aiohttp, which is not installed. Install it with: "
            "pip install 'neural-trader[providers]'"
        )
        raise ConfigError(message) from None
    return aiohttp
