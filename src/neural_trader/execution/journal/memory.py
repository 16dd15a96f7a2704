"""A journal in memory, for tests and simulations: it can be told to fail, and to crash."""

from typing import Self

from neural_trader.core.errors import JournalError
from neural_trader.execution.journal.format import PAYLOAD_MAX


class MemoryJournal:
    """A journal that lives as long as its process.

    Parameters
    ----------
    payloads : iterable of bytes
        What has been committed before.

    Attributes
    ----------
    commits : int
        Commits that were asked for, those with nothing gathered left out.
    """

    def __init__(self, payloads: tuple[bytes, ...] = ()) -> None:
        self._payloads = list(payloads)
        self._committed = len(self._payloads)
        self._fails_at = 0
        self._kept = 0
        self._problem: str | None = None
        self.commits = 0

    @property
    def next_seq(self) -> int:
        """The number that the next payload gets."""
        return len(self._payloads) + 1

    def fail_commit(self, number: int, kept: int = 0) -> None:
        """Let a commit fail, counted from 1; ``kept`` of its payloads stand there all the same."""
        self._fails_at = number
        self._kept = kept

    def crash(self) -> Self:
        """Return the journal that the next process finds: what was committed, and no more."""
        self._problem = "the process has crashed"
        return type(self)(tuple(self._payloads[: self._committed]))

    def append(self, payload: bytes) -> int:
        """Gather a payload for the next commit, and return its number.

        Raises
        ------
        ValueError
            The payload is empty or too long.
        JournalError
            The journal is closed.
        """
        self._check_open()
        if not 0 < len(payload) <= PAYLOAD_MAX:
            message = f"a payload of {len(payload)} bytes; a record takes 1 to {PAYLOAD_MAX}"
            raise ValueError(message)
        self._payloads.append(payload)
        return len(self._payloads)

    def commit(self) -> None:
        """Keep what was gathered, unless this commit is one that fails.

        Raises
        ------
        JournalError
            The journal is closed, or was now.
        """
        self._check_open()
        if self._committed == len(self._payloads):
            return
        self.commits += 1
        if self.commits == self._fails_at:
            self._problem = "the commit failed, as it was told to; the journal is closed for good"
            self._committed = min(self._committed + self._kept, len(self._payloads))
            raise JournalError(self._problem)
        self._committed = len(self._payloads)

    def read(self, seq: int, bytes_max: int) -> list[tuple[int, bytes]]:
        """Return committed payloads from number ``seq`` on, with their numbers.

        Raises
        ------
        JournalError
            The journal is closed.
        """
        self._check_open()
        if seq < 1:
            message = f"seq is {seq}; records are numbered from 1"
            raise ValueError(message)
        found: list[tuple[int, bytes]] = []
        room = bytes_max
        for number in range(seq, self._committed + 1):
            payload = self._payloads[number - 1]
            room -= len(payload)
            if room < 0 and found:
                break
            found.append((number, payload))
        return found

    def close(self) -> None:
        """Take no more; what was not committed is dropped."""
        self._problem = self._problem or "the journal is closed"
        del self._payloads[self._committed :]

    def _check_open(self) -> None:
        if self._problem is not None:
            raise JournalError(self._problem)
