"""Which mutants are planted: a seeded choice, a third each of core, journal and session."""

import hashlib
import tomllib
from pathlib import Path
from typing import Final

from tests.mutants.operators import Mutant, mutants_of

ROOT: Final = Path(__file__).resolve().parents[2]
EXECUTION: Final = Path("src/neural_trader/execution")
BUGS: Final = Path(__file__).parent / "bugs"
EQUIVALENT: Final = Path(__file__).parent / "equivalent.toml"
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "core": (
        *("core.py", "orders.py", "accounts.py", "ledger.py", "limits.py", "repeats.py"),
        "../core/position.py",  # what a fill makes of a position stands below the order path
    ),
    "journal": tuple(
        f"journal/{name}.py"
        for name in ("file", "reading", "format", "checkpoints", "spare", "disk")
    ),
    "session": ("sessions.py", "gateway.py", "venue_link.py", "client/session.py", "framing.py"),
}


def source_of(path: str, root: Path = ROOT) -> str:
    """Return what stands in a module of the order path."""
    return (root / EXECUTION / path).read_text(encoding="utf-8")


def all_mutants(root: Path = ROOT) -> dict[str, list[Mutant]]:
    """Return all mutants that there are, by group."""
    return {
        group: [one for path in paths for one in mutants_of(path, source_of(path, root))]
        for group, paths in GROUPS.items()
    }


def choose(mutants: dict[str, list[Mutant]], count: int, seed: int) -> dict[str, list[Mutant]]:
    """Return ``count`` of them, spread evenly over the groups.

    Each name draws a number of its own: an edit changes the choice as little as it can.
    """
    share, more = divmod(count, len(mutants))
    return {
        group: sorted(found, key=lambda one: _draw(seed, one.name))[: share + (at < more)]
        for at, (group, found) in enumerate(mutants.items())
    }


def equivalents() -> dict[str, str]:
    """Return the mutants that change nothing, with the reason of each."""
    text = EQUIVALENT.read_text(encoding="utf-8")
    reasons: dict[str, str] = tomllib.loads(text)["equivalent"]
    return reasons


def bugs() -> list[Path]:
    """Return the named bugs."""
    return sorted(BUGS.glob("*.patch"))


def _draw(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
