from typing import Final

import numpy as np
from numpy.typing import NDArray

SKIPPED: Final[int]
TIME: Final[int]
SYMBOL: Final[int]
NUMBER: Final[int]
ODD: Final[int]
MARKS: Final[int]

def parse(
    data: bytes,
    begin: int,
    separator: int,
    kinds: NDArray[np.int64],
    stamps: NDArray[np.int64],
    codes: NDArray[np.int64],
    values: NDArray[np.float64],
    known: dict[bytes, int],
    marks: NDArray[np.int64],
) -> int:
    """Read rows into stamps (n,), codes (n,) and values (F, n); return how many, or ODD.

    data is ASCII without quotes, ends in a line feed, and has its first row at begin; kinds (W,)
    holds F times NUMBER. Stamps are at the begin of a day where times are days, and in the clock
    of the text. marks (MARKS,) begin as zeros.
    """
