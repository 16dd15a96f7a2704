"""What the tests of the journal share: writing one, and looking at what it left."""

from pathlib import Path

from neural_trader.execution.journal import Durability, FileJournal, walk

SMALL = 4096
Batches = list[list[bytes]]


def open_small(folder: Path, durability: Durability = "process-safe") -> FileJournal:
    return FileJournal.open(folder, durability=durability, segment_bytes=SMALL)


def batches(*sizes: int) -> Batches:
    """Return batches of so many payloads each; all payloads are different."""
    numbers = iter(range(1, 1 << 30))
    return [
        [b"payload %d " % next(numbers) * (1 + size % 3) for _ in range(size)] for size in sizes
    ]


def write(folder: Path, wanted: Batches) -> list[int]:
    """Write batches, and return the byte of the last segment at which each began, and the end."""
    with open_small(folder) as journal:
        places = []
        for batch in wanted:
            for payload in batch:
                journal.append(payload)
            places.append(journal._at)
            journal.commit()
        return [*places, journal._at]


def payloads_of(folder: Path) -> list[bytes]:
    return [payload for _, payload in walk(folder)]


def flat(wanted: Batches) -> list[bytes]:
    return [payload for batch in wanted for payload in batch]


def segments_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.log"))


def restore(folder: Path, contents: dict[str, bytes]) -> None:
    """Make a folder hold these files and nothing else."""
    for path in folder.iterdir():
        if path.name not in contents:
            path.unlink()
    for name, data in contents.items():
        (folder / name).write_bytes(data)


def contents_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
