"""A special dividend is no loss: one day of Microsoft on three price bases, and weeks of it.

The table beside this file holds its first dividend and the special one of 2004, no others.
"""

from pathlib import Path

import neural_trader as nt

ACTIONS = Path(__file__).with_name("actions.csv")


def main() -> None:
    """Print the return of the ex-date, and the weeks around it."""
    for adjust in ("none", "splits", "total-return"):
        bars = nt.load("us-ohlcv", symbols="MSFT", actions=ACTIONS, adjust=adjust, end="2004-11-15")
        before, ex_date = bars["MSFT"].close[-2:]
        print(f"{bars.basis:15} {before:8.4f} {ex_date:8.4f} {ex_date / before - 1:8.2%}")
    bars = nt.load(
        "us-ohlcv", symbols="MSFT", actions=ACTIONS, adjust="total-return", start="2004-11-01"
    )
    weeks = nt.resample(bars, "week")
    print(weeks)
    print(weeks["MSFT"].close[:4].round(2).tolist())


if __name__ == "__main__":
    main()
