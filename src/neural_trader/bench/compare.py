"""Two reports side by side: what became faster, what slower, and where nothing can be said.

Rows are the same where ``row_key`` is: the case and its parameters, but for those that say how it
went or what was hoped for. Reports of another machine, other data or settings are refused.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from neural_trader.bench.intervals import ratio_interval
from neural_trader.bench.rows import Report, Row
from neural_trader.core import BenchError, ConfigError, DataError

ROUNDS_MIN: Final = 3
NOISE_MIN: Final = 0.03
"""What a row differs by from one run to the next, though its rounds agree among themselves."""
MARGIN: Final = 1.25
FASTER: Final = "faster"
SLOWER: Final = "slower"
SAME: Final = "no difference"
TOO_FEW: Final = "too few rounds"
NO_RATIO: Final = "no ratio"

_NOT_IDENTITY: Final = frozenset({
    "after_half_mb", "claim", "doubled", "floor_ratio", "lost", "orders", "rejected", "same",
    "target", "version", "words", "work",
})  # fmt: skip
_MACHINE: Final = ("processor", "cores", "memory_gb", "system", "python")
_DATA: Final = ("data_name", "data_hash")
_MEMORY_TOLERANCE: Final = 0.02


class Change(NamedTuple):
    """One row in both reports.

    ``a`` and ``b`` are medians in ``unit``; ``ratio`` is how many times as much B takes as A, above
    1 where B is worse, whichever way the unit counts; ``low`` and ``high`` are its 95 % interval;
    ``noise`` is the relative change that the rounds of one report show among themselves. None is
    what could not be computed, and ``reason`` says why.
    """

    case: str
    params: dict[str, Any]
    unit: str
    a: float | None
    b: float | None
    ratio: float | None
    low: float | None
    high: float | None
    noise: float | None
    verdict: str
    reason: str | None = None


class Comparison(NamedTuple):
    """All rows of two reports: those that both have, and the keys of those that one has alone."""

    changes: list[Change]
    only_a: list[str]
    only_b: list[str]

    def regressions(self, margin: float) -> list[Change]:
        """Return the rows that are slower by more than a margin, noise apart.

        Parameters
        ----------
        margin : float
            At least 1. A row counts where the lower end of its ratio's interval is above it.
        """
        return [
            one
            for one in self.changes
            if one.verdict == SLOWER and one.low is not None and one.low > margin
        ]

    @property
    def judged(self) -> int:
        """How many rows have a verdict of their own."""
        return sum(one.verdict in {FASTER, SLOWER, SAME} for one in self.changes)


def read_report(path: Path) -> Report:
    """Read a report that ``--output`` wrote.

    Raises
    ------
    DataError
        The file cannot be read, or holds no report, or one row twice.
    """
    try:
        report = msgspec.json.decode(path.read_bytes(), type=Report)
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}; give a file that --output wrote"
        raise DataError(message) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"{path} is no report of the bench: {error}; give a file that --output wrote"
        raise DataError(message) from None
    keys = [row_key(row) for row in report.rows]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        message = f"{path} has the row {twice[0]} twice; expected each once"
        raise DataError(message)
    return report


def identity(row: Row) -> dict[str, Any]:
    """Return the parameters of a row that say what was measured, sorted by name.

    Versions, targets, claims, words and counts of what happened do not belong to it.
    """
    return {name: row.params[name] for name in sorted(row.params) if name not in _NOT_IDENTITY}


def row_key(row: Row) -> str:
    """Return the name of a row, the same in every report that measured the same."""
    own = identity(row)
    parts = [f"{name}={_told(value)}" for name, value in own.items()]
    return " ".join([row.case, *parts])


def find_differences(a: Report, b: Report) -> list[str]:
    """Return in words what forbids comparing two reports: machine, data, settings.

    Versions and commits may differ, being what is compared, and so may the number of rounds.
    """
    found = [
        f"{name} ({mine!r} and {other!r})"
        for name in _MACHINE
        if not _is_same(name, mine := a.machine.get(name), other := b.machine.get(name))
    ]
    found += [
        f"{name} ({mine!r} and {other!r})"
        for name in _DATA
        if (mine := a.provenance.get(name)) != (other := b.provenance.get(name))
    ]
    mine, other = _config(a), _config(b)
    found += [
        f"config {name} ({mine.get(name)!r} and {other.get(name)!r})"
        for name in sorted(mine.keys() | other.keys())
        if mine.get(name) != other.get(name)
    ]
    return found


def compare(a: Report, b: Report) -> Comparison:
    """Compare two reports of one machine, row by row.

    Raises
    ------
    ConfigError
        They were measured on another machine, other data or with other settings.

    Notes
    -----
    A row is faster or slower where the bootstrap interval of its ratio leaves 1 out and its change
    is beyond the noise: 3 %, or half of the interquartile range of either report's rounds over
    their median, whichever is more. Fewer than three rounds on a side give no verdict.
    """
    differences = find_differences(a, b)
    if differences:
        message = (
            f"the reports differ in {', '.join(differences)}; expected the same machine, data and "
            "settings: measure both here, with the same options"
        )
        raise ConfigError(message)
    rows_a = {row_key(row): row for row in a.rows}
    rows_b = {row_key(row): row for row in b.rows}
    return Comparison(
        [_change(row, rows_b[key]) for key, row in rows_a.items() if key in rows_b],
        [key for key in rows_a if key not in rows_b],
        [key for key in rows_b if key not in rows_a],
    )


def is_more_better(unit: str) -> bool:
    """Whether a unit counts what there should be more of: a rate, or how many times as fast."""
    return unit in {"x", "efficiency"} or unit.endswith(("/s", " a second"))


def noise_of(samples: list[float]) -> float:
    """Return half of the interquartile range over the median, at least 3 %.

    Missing
    -------
    Infinite where the median is zero.
    """
    low, middle, high = np.quantile(samples, (0.25, 0.5, 0.75))
    return max(NOISE_MIN, float((high - low) / 2.0 / abs(middle)) if middle else float("inf"))


def _change(a: Row, b: Row) -> Change:
    verdict, reason = _obstacle(a, b)
    ratio = low = high = noise = None
    if not verdict:
        worse, better = (a, b) if is_more_better(a.unit) else (b, a)
        ratio = float(np.median(worse.samples) / np.median(better.samples))
        low, high = ratio_interval(worse.samples, better.samples)
        noise = max(noise_of(a.samples), noise_of(b.samples))
        # A change by a factor counts alike in both directions.
        is_within = max(ratio, 1.0 / ratio) <= 1.0 + noise
        verdict = SAME if low <= 1.0 <= high or is_within else SLOWER if ratio > 1.0 else FASTER
    return Change(
        a.case, identity(a), a.unit, a.value, b.value, ratio, low, high, noise, verdict, reason
    )


def _obstacle(a: Row, b: Row) -> tuple[str, str | None]:
    """Return why there is no ratio, as a verdict and in words; an empty verdict where there is."""
    if a.unit != b.unit:
        return NO_RATIO, f"the units are {a.unit} and {b.unit}"
    for name, row in (("A", a), ("B", b)):
        if row.value is None:
            return NO_RATIO, f"not measured in {name}: {row.reason or 'no reason is given'}"
    rounds = len(a.samples), len(b.samples)
    if min(rounds) < ROUNDS_MIN:
        return TOO_FEW, f"{rounds[0]} and {rounds[1]} rounds; {ROUNDS_MIN} at least"
    if not all(np.isfinite(one) and one > 0.0 for one in (*a.samples, *b.samples)):
        return NO_RATIO, "a round is not above zero"
    return "", None


def _is_same(name: str, mine: object, other: object) -> bool:
    # What the kernel keeps for itself moves the memory by a few MB between two starts.
    if name == "memory_gb" and isinstance(mine, int | float) and isinstance(other, int | float):
        return abs(mine - other) <= _MEMORY_TOLERANCE * max(mine, other)
    return mine == other


def _config(report: Report) -> dict[str, Any]:
    config = report.provenance.get("config")
    return (
        {} if not isinstance(config, dict) else {k: v for k, v in config.items() if k != "rounds"}
    )


def _told(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def check_judged(found: Comparison) -> None:
    """Refuse a comparison in which no row could be judged: it would pass whatever happened.

    Raises
    ------
    BenchError
        There is no such row.
    """
    if found.judged:
        return
    reasons = sorted({f"{one.verdict} ({one.reason})" for one in found.changes})
    why = reasons[0] if reasons else "no row is in both"
    message = f"no row of the two reports can be judged: {why}; measure with --rounds 5 or more"
    raise BenchError(message)


def lines_of(found: Comparison) -> Iterator[str]:
    """Yield what was not judged, a line each."""
    for one in found.changes:
        if one.reason:
            quantity = one.params.get("quantity", "")
            yield f"{one.case} {quantity}: {one.verdict}: {one.reason}"
    for name, keys in (("A", found.only_a), ("B", found.only_b)):
        for key in keys:
            yield f"only in {name}: {key}"
