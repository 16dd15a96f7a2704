"""The one shape of every measurement: rows, with the machine and what was measured beside them."""

from typing import Any

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One measured quantity.

    Parameters
    ----------
    case : str
        What was done.
    params : dict
        What it was done with; ``quantity`` says what ``value`` counts, ``engine`` who did it.
    value : float or None
        Median over the rounds, None where it was not measured.
    unit : str
        Of value, low, high, baseline, claim and limit.
    low, high : float or None
        Fastest and slowest round.
    baseline : float or None
        The same quantity of the plain-Python program, measured in the same rounds.
    ratio : float or None
        Baseline over value: how many times less ours takes; the median of the rounds' own ratios.
    claim : float or None
        What the system's performance page claims for its Rust implementation.
    limit : float or None
        What straight C takes for the same work on this machine, in the same rounds.
    checked : bool
        Whether the answer was compared with the baseline's before the time was believed.
    reason : str or None
        Why a value or a limit is missing.
    samples : list of float
        The value of each round, in their order: what an interval is made from. Empty where a row
        is not a figure of rounds.
    """

    case: str
    params: dict[str, Any]
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    baseline: float | None = None
    ratio: float | None = None
    claim: float | None = None
    limit: float | None = None
    checked: bool = False
    reason: str | None = None
    samples: list[float] = []


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Rows, the machine they were measured on, and what was measured."""

    machine: dict[str, Any]
    provenance: dict[str, Any]
    rows: list[Row]

    def head(self, *notes: str) -> str:
        """Return the line that stands above every table: machine, load, version and rounds."""
        machine, rounds = self.machine, self.provenance["config"]["rounds"]
        parts = (
            f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, "
            f"{machine['python']}, load {machine['load_1min']}",
            f"neural-trader {self.provenance['version']}",
            f"rounds: {rounds}",
            *notes,
        )
        return "; ".join(parts)
