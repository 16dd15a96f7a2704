"""What a gateway asks of a journal."""

from typing import Protocol


class Journal(Protocol):
    """An append-only list of payloads, numbered from 1 without gaps.

    ``append`` only gathers; ``commit`` makes everything gathered durable, in one write, as its mode
    promises. What has not been committed has not happened: nothing of it may leave the process.
    """

    @property
    def next_seq(self) -> int:
        """The number that the next payload gets."""
        ...

    @property
    def first_seq(self) -> int:
        """The first number that is kept; above 1, ``checkpoint`` stands for those before it."""
        ...

    @property
    def checkpoint(self) -> bytes:
        """The state that the payloads before ``first_seq`` come to; nothing where that is 1."""
        ...

    def append(self, payload: bytes) -> int:
        """Gather a payload for the next commit, and return its number."""
        ...

    def commit(self) -> None:
        """Make durable what was gathered.

        Raises
        ------
        JournalError
            The write or the flush failed. The journal is closed for good: what was gathered may
            stand on the disk or not, and a failed flush is never tried again.
        """
        ...

    def read(self, seq: int, bytes_max: int) -> list[tuple[int, bytes]]:
        """Return committed payloads from number ``seq`` on, with their numbers.

        At least one where there is one, and no more than fit into ``bytes_max``.

        Raises
        ------
        RecordsGone
            ``seq`` is no longer kept.
        """
        ...

    def close(self) -> None:
        """Give the files back; what was not committed is dropped."""
        ...
