"""The days on which a series has bars, and when they begin and end."""

from typing import NamedTuple

import numpy as np

from neural_trader.core.bars import Ints, Stamps
from neural_trader.core.sessions import DAY_NS


class Days(NamedTuple):
    """The UTC days of a series that have bars, each array of shape (D,).

    ``numbers`` counts days from 1970-01-01, ``first`` and ``last`` are the closes of a day's first
    and last bar, ``counts`` its bars. A close at midnight ends the day.
    """

    numbers: Ints
    first: Stamps
    last: Stamps
    counts: Ints


def days_of(stamps: Stamps) -> Days:
    """Return the days of closes that rise, shape (T,)."""
    numbers = (stamps - 1) // DAY_NS
    # They rise: comparing neighbors takes a hundredth of what finding distinct ones takes.
    begins = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1))
    counts = np.diff(begins, append=len(stamps))
    return Days(numbers[begins], stamps[begins], stamps[begins + counts - 1], counts)


def usual_step(stamps: Stamps) -> int:
    """Return the usual time between two closes in nanoseconds; a day where there is one bar."""
    steps = np.diff(stamps)
    return int(np.median(steps)) if len(steps) else DAY_NS
