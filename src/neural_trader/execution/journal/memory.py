"""A journal in memory, for tests and simulations: it can be told to fail, and to crash."""

from typing import Self

from neural_trader.core.errors import JournalError, RecordsGone
from neural_trader.execution.journal.format import PAYLOAD_MAX


class MemoryJournal:
    """A journal that lives as long as its process.

    Parameters
    ----------
    payloads : tuple of bytes
        What has been committed before, from ``first_seq`` on.
    first_seq : int
    checkpoint : bytes
        The state that stands for what came before ``first_seq``.

    Attributes
    ----------
    commits : int
        Commits that were asked for, those with nothing gathered left out.
    """

    def __init__(
        self, payloads: tuple[bytes, ...] = (), first_seq: int = 1, checkpoint: bytes = b""
    ) -> None:
        self.first_seq = first_seq
        self.checkpoint = checkpoint
        self._payloads = list(payloads)
        self._committed = len(self._payloads)
        self._fails_at = 0
        self._kept = 0
        self._problem: str | None = None
        self.commits = 0

    @property
    def next_seq(self) -> int:
        """The number that the next payload gets."""
        return len(self._payloads) + self.first_seq

    def fail_commit(self, number: int, kept: int = 0) -> None:
        """Let a commit fail, counted from 1; ``kept`` of its payloads stand there all the same."""
        self._fails_at = number
        self._kept = kept

    def crash(self) -> Self:
        """Return the journal that the next process finds: what was committed, and no more."""
        self._problem = "the process has crashed"
        kept = tuple(self._payloads[: self._committed])
        return type(self)(kept, self.first_seq, self.checkpoint)

    def forget(self, seq: int, checkpoint: bytes) -> None:
        """Keep what was committed from a number on, and a checkpoint for what came before it."""
        gone = seq - self.first_seq
        del self._payloads[:gone]
        self._committed -= gone
        self.first_seq = seq
        self.checkpoint = checkpoint

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
        return self.next_seq - 1

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
        RecordsGone
            ``seq`` is no longer kept.
        JournalError
            The journal is closed.
        """
        self._check_open()
        if seq < 1:
            message = f"seq is {seq}; records are numbered from 1"
            raise ValueError(message)
        if seq < self.first_seq:
            message = f"record {seq} is no longer kept; the first is {self.first_seq}"
            raise RecordsGone(message)
        found: list[tuple[int, bytes]] = []
        room = bytes_max
        for number in range(seq, self._committed + self.first_seq):
            payload = self._payloads[number - self.first_seq]
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
