"""A process that writes a journal until it is killed, and says what it has committed.

``python -m tests.integration.journal_writer FOLDER DURABILITY SEED CALL``: at its CALL-th call that
changes the disk it does half of what it was asked for and kills itself; 0 is never.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, get_args

from neural_trader.execution.journal import Durability, FileJournal

SEGMENT_BYTES = 4096
CALLS = ("pwrite", "pwritev", "fdatasync", "fsync", "ftruncate", "rename", "unlink")


def payload_of(number: int) -> bytes:
    """Return what the record with a number holds, whoever writes it; some are long."""
    size = 2 * SEGMENT_BYTES if number % 97 == 0 else number * 37 % 400
    return b"%d " % number + bytes([number % 251]) * size


def main() -> None:
    """Write until the end comes."""
    folder, seed, call = Path(sys.argv[1]), int(sys.argv[3]), int(sys.argv[4])
    (durability,) = (mode for mode in get_args(Durability) if mode == sys.argv[2])
    if call:
        _die_at(call)
    batches = Random(seed)
    with FileJournal.open(folder, durability=durability, segment_bytes=SEGMENT_BYTES) as journal:
        print(journal.next_seq - 1, flush=True)
        while True:
            for _ in range(batches.randint(1, 5)):
                journal.append(payload_of(journal.next_seq))
            journal.commit()
            print(journal.next_seq - 1, flush=True)


def _die_at(number: int) -> None:
    calls = 0

    def wrap(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number:
                if name == "pwrite":
                    real(arguments[0], arguments[1][: len(arguments[1]) // 2], arguments[2])
                elif name == "pwritev":
                    (data,) = arguments[1]
                    real(arguments[0], [data[: len(data) // 2]], *arguments[2:])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return call

    for name in CALLS:
        setattr(os, name, wrap(name, getattr(os, name)))


if __name__ == "__main__":
    main()
