"""The result of a backtest: arrays; frames, tables and metrics are made when looked at."""

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neural_trader.backtesting.round_trips import RoundTrip, compute_round_trips
from neural_trader.backtesting.summary import Summary, compute_summary
from neural_trader.backtesting.tables import (
    TABLES,
    Columns,
    Table,
    equity_columns,
    fill_columns,
    round_trip_columns,
)
from neural_trader.backtesting.window import FillAt, Warmup, Window
from neural_trader.core import Bars, ConfigError, Costs
from neural_trader.core.bars import Floats
from neural_trader.core.sessions import session_date
from neural_trader.core.version import VERSION
from neural_trader.strategies import CompiledStrategy

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


class Config(NamedTuple):
    """Everything that a user decided about a run."""

    strategy: CompiledStrategy
    capital: float
    costs: Costs
    start: str | None
    end: str | None
    warmup: Warmup
    fill_at: FillAt
    max_leverage: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; equal configurations give equal ones."""
        fields = {name: getattr(self.strategy, name) for name in self.strategy.__struct_fields__}
        return {
            "strategy": {"kind": self.strategy.kind} | fields,
            "sizing": str(self.strategy.sizing),
            "capital": self.capital,
            "fee_bps": float(self.costs.fee_bps),
            "slippage_bps": float(self.costs.slippage_bps),
            "start": self.start,
            "end": self.end,
            "warmup": self.warmup,
            "fill_at": f"next {self.fill_at}",
            "max_leverage": float(self.max_leverage),
        }


class Outcome(NamedTuple):
    """The arrays that a run leaves.

    ``equity`` float64 (T - first,); ``where`` int64 (2, n), bar and leg of each fill; ``fills``
    float64 (5, n), quantity, reference price, price, fee, cash afterwards; ``signals`` float64
    (rows, T); ``skipped`` the two counts of the strategy and the intents of the last bar.
    """

    equity: Floats
    where: np.ndarray[Any, np.dtype[np.int64]]
    fills: Floats
    signals: Floats
    is_ruined: bool
    peak_leverage: float
    peak_bar: int
    skipped: tuple[int, int, int]


class Result:
    """What a backtest did.

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

    def __init__(self, config: Config, bars: Bars, window: Window, outcome: Outcome) -> None:
        self.config = config
        self.bars = bars
        self.window = window
        self.outcome = outcome
        self.equity = outcome.equity

    @property
    def symbols(self) -> tuple[str, ...]:
        """The legs of the strategy."""
        return self.config.strategy.symbols

    @property
    def ts_close_ns(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The close of every bar of ``equity``, int64 nanoseconds UTC."""
        first = self.window.first
        return self.window.ts_close_ns[first : first + len(self.equity)]

    @property
    def final_equity(self) -> float:
        """The value of the account at the last bar, open positions marked at its close."""
        return float(self.equity[-1])

    @property
    def trades(self) -> int:
        """How many entries were filled; the legs of one entry count once."""
        return len(self.trips)

    @property
    def fill_count(self) -> int:
        """How many orders were filled; two legs count twice."""
        return int(self.outcome.where.shape[1])

    @property
    def skipped(self) -> dict[str, int]:
        """Bars on which a due entry was not taken, by reason, and intents of the last bar."""
        names = (*self.config.strategy.skip_reasons, "decided_on_the_last_bar")
        return {name: n for name, n in zip(names, self.outcome.skipped, strict=True) if name}

    @cached_property
    def trips(self) -> list[RoundTrip]:
        """The round trips as plain objects."""
        outcome = self.outcome
        return compute_round_trips(
            outcome.where,
            outcome.fills,
            len(self.symbols),
            first=self.window.first,
            equity=outcome.equity,
        )

    @cached_property
    def signals(self) -> dict[str, Floats]:
        """The strategy's signals by name, each over all bars of the window, warm-up included."""
        names = self.config.strategy.signal_names
        return dict(zip(names, self.outcome.signals, strict=True))

    @property
    def fills(self) -> "pl.DataFrame":
        """One row a fill, as a Polars frame."""
        return self.to_polars("fills")

    @property
    def round_trips(self) -> "pl.DataFrame":
        """One row a round trip, as a Polars frame."""
        return self.to_polars("round_trips")

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

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Version, configuration and its hash, data name and hash."""
        config = self.config.to_dict()
        stamps = self.ts_close_ns
        text = json.dumps(config, sort_keys=True, separators=(",", ":"))
        return {
            "version": VERSION,
            "config": config,
            "config_hash": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}",
            "data_name": self.bars.name,
            "data_hash": self.bars.data_hash,
            "data_basis": self.bars.basis,
            "data_labels": list(self.bars.labels),
            "first_bar": str(session_date(stamps[0])),
            "last_bar": str(session_date(stamps[-1])),
            "bars": len(stamps),
        }

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
        if table == "signals":
            times = window.ts_close_ns.astype("datetime64[ns]")
            return {"time": times} | dict(self.signals)
        message = f"table is {table!r}; expected one of {', '.join(TABLES)}"
        raise ConfigError(message)

    def to_polars(self, table: Table = "equity") -> "pl.DataFrame":
        """Return one table as a Polars frame: equity, fills, round_trips or signals."""
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
        """Return one table as a pandas frame; equity and signals are indexed by time.

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
        return frame.set_index("time") if table in ("equity", "signals") else frame

    def save(self, path: str | Path) -> Path:
        """Write the result to one file, whole or not at all; ``load_result`` reads it back."""
        from neural_trader.backtesting.storage import save_result

        return save_result(self, Path(path))

    def __repr__(self) -> str:
        """Return the run on one line."""
        return (
            f"Result({self.config.strategy.kind} {','.join(self.symbols)}: {self.trades} trades, "
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
