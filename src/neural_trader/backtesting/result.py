"""The result of a backtest: arrays; frames, tables and metrics are made when looked at."""

from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from neural_trader.backtesting.run import Run
from neural_trader.backtesting.storage import read_run, save_run
from neural_trader.backtesting.summary import Summary, compute_summary
from neural_trader.backtesting.tables import (
    TABLES,
    Columns,
    Table,
    equity_columns,
    fill_columns,
    ledger_columns,
    position_columns,
    round_trip_columns,
)
from neural_trader.core import ConfigError
from neural_trader.portfolio import Ledger

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


class Result(Run):
    """What a backtest did: its run, with tables, frames, metrics and a file of its own.

    Attributes
    ----------
    config : Config
        Strategy, capital, costs, range and limits of the run.
    bars : Bars
        The data it ran on.
    equity : float64 array, shape (T,)
        Value of the account at the close of every bar from ``start`` on.
    ts_close_ns : int64 array, shape (T,)
        Those closes, nanoseconds UTC.
    """

    @property
    def fills(self) -> "pl.DataFrame":
        """One row a fill, as a Polars frame."""
        return self.to_polars("fills")

    @property
    def round_trips(self) -> "pl.DataFrame":
        """One row a round trip, as a Polars frame."""
        return self.to_polars("round_trips")

    @property
    def positions(self) -> "pl.DataFrame":
        """One row a bar and symbol held: quantity, average price, value and profits."""
        return self.to_polars("positions")

    @property
    def ledger(self) -> "pl.DataFrame":
        """One row a bar: cash, equity, gross and net exposure, profits and fees."""
        return self.to_polars("ledger")

    def to_ledger(self, unit: str = "0.01") -> Ledger:
        """Return the fills once more in exact money, marked at the last closes.

        Parameters
        ----------
        unit : str
            The smallest unit of money, as decimal text: values and fees are rounded to it, and so
            is the capital.

        Raises
        ------
        ConfigError
            The unit is no decimal above 0.
        """
        ledger = Ledger(0, unit=unit)
        capital = round(Decimal(repr(self.config.capital)) / ledger.unit) * ledger.unit
        ledger = Ledger(capital, unit=unit)
        where, fills = self.outcome.where, self.outcome.fills
        for leg, qty, price, fee in zip(
            where[1].tolist(), fills[0].tolist(), fills[2].tolist(), fills[3].tolist(), strict=True
        ):
            ledger.fill(self.symbols[leg], qty, price, fee)
        last = self.window.first + len(self.equity) - 1
        for row, symbol in zip(self.window.rows, self.symbols, strict=True):
            ledger.mark(symbol, float(self.window.close[row, last]))
        return ledger

    @cached_property
    def summary(self) -> Summary:
        """Metrics, costs and trade statistics, with their conventions and reasons."""
        return compute_summary(self)

    @property
    def metrics(self) -> dict[str, float]:
        """The headline figures by name; an undefined one is NaN, see ``summary.undefined``."""
        return self.summary.metrics

    @property
    def notes(self) -> list[str]:
        """What a reader of this result has to know."""
        return self.summary.notes

    def columns(self, table: Table) -> Columns:
        """Return the columns of one table as arrays.

        Raises
        ------
        ConfigError
            There is no such table.
        """
        window, outcome = self.window, self.outcome
        if table == "equity":
            return equity_columns(window, outcome.equity, self.config.capital)
        if table == "fills":
            return fill_columns(window, self.symbols, outcome.where, outcome.fills)
        if table == "round_trips":
            return round_trip_columns(window, self.symbols, self.trips, self.signals)
        if table == "positions":
            return position_columns(
                window, self.symbols, outcome.where, outcome.fills, bars=len(outcome.equity)
            )
        if table == "ledger":
            capital = self.config.capital
            return ledger_columns(
                window, outcome.where, outcome.fills, equity=outcome.equity, capital=capital
            )
        if table == "signals":
            times = window.ts_close_ns.astype("datetime64[ns]")
            return {"time": times} | dict(self.signals)
        message = f"table is {table!r}; expected one of {', '.join(TABLES)}"
        raise ConfigError(message)

    def to_polars(self, table: Table = "equity") -> "pl.DataFrame":
        """Return one table, of those in ``TABLES``, as a Polars frame."""
        import polars as pl

        objects = {"symbol", "side"}
        return pl.DataFrame(
            {
                name: pl.Series(name, values.tolist(), dtype=pl.String)
                if name in objects
                else values
                for name, values in self.columns(table).items()
            }
        )

    def to_pandas(self, table: Table = "equity") -> "pd.DataFrame":
        """Return one table as a pandas frame; equity, signals and ledger are indexed by time.

        Raises
        ------
        ConfigError
            pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            message = "pandas is not installed; pip install 'neural-trader[pandas]'"
            raise ConfigError(message) from None
        frame = pd.DataFrame(self.columns(table))
        return frame.set_index("time") if table in ("equity", "signals", "ledger") else frame

    def save(self, path: str | Path) -> Path:
        """Write the result to one file, whole or not at all; ``load_result`` reads it back."""
        return save_run(self, Path(path))

    def __repr__(self) -> str:
        """Return the run on one line."""
        return (
            f"Result({self.name} {','.join(self.symbols)}: {self.trades} trades, "
            f"{self.fill_count} fills, final equity {self.final_equity:,.2f})"
        )

    def _repr_html_(self) -> str:
        """Return the summary as a table, for notebooks."""
        import html

        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
            f"<td style='text-align:right'>{html.escape(value)}</td></tr>"
            for label, value in self.summary.rows
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return f"<table><caption>{html.escape(repr(self))}</caption>{rows}</table>{notes}"


def load_result(path: str | Path) -> Result:
    """Read a result that ``Result.save`` wrote.

    Raises
    ------
    DataError
        The file is not there, damaged, or not a saved result.
    """
    run = read_run(Path(path))
    return Result(run.config, run.bars, run.window, run.outcome)
