"""One run: what was asked, on which bars, and the arrays that it left."""

import hashlib
import json
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
import numpy as np

from neural_trader.backtesting.recorded import Recorded
from neural_trader.backtesting.round_trips import (
    RoundTrip,
    compute_round_trips,
    compute_symbol_trips,
)
from neural_trader.backtesting.window import FillAt, Warmup, Window
from neural_trader.core import Bars, Costs, Instrument, Matching
from neural_trader.core.bars import Floats
from neural_trader.core.sessions import session_date
from neural_trader.core.version import VERSION
from neural_trader.strategies import CompiledStrategy


class Config(NamedTuple):
    """Everything that a user decided about a run."""

    strategy: CompiledStrategy | Recorded
    capital: float
    costs: Costs
    start: str | None
    end: str | None
    warmup: Warmup
    fill_at: FillAt
    max_leverage: float
    matching: Matching = Matching()
    instruments: tuple[Instrument, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; equal configurations give equal ones."""
        fields = {name: getattr(self.strategy, name) for name in self.strategy.__struct_fields__}
        plain = {
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
        # What was left at its default says nothing, and would change the hash of older results.
        if not self.costs.is_by_rate:
            plain["costs"] = msgspec.to_builtins(self.costs)
        if self.matching != Matching():
            plain["matching"] = msgspec.to_builtins(self.matching)
        if set(self.instruments) - {Instrument()}:
            plain["instruments"] = msgspec.to_builtins(self.instruments)
        return plain


class Outcome(NamedTuple):
    """The arrays that a run leaves.

    ``equity`` float64 (T - first,); ``where`` int64 (2, n), bar and leg of each fill, and in a
    third row its order where a strategy in Python made orders; ``fills`` float64 (5, n), quantity,
    reference price, price, fee, cash afterwards; ``signals`` float64 (rows, T); ``skipped`` the
    counts of the strategy and the intents of the last bar.
    """

    equity: Floats
    where: np.ndarray[Any, np.dtype[np.int64]]
    fills: Floats
    signals: Floats
    is_ruined: bool
    peak_leverage: float
    peak_bar: int
    skipped: tuple[int, ...]


class Run:
    """What was asked and what came of it; a result shows it.

    Attributes
    ----------
    config : Config
        Strategy, capital, costs, range and limits of the run.
    bars : Bars
        The data it ran on.
    window : Window
        The bars that it saw.
    outcome : Outcome
        The arrays that it left.
    equity : float64 array, shape (T,)
        Value of the account at the close of every bar from ``start`` on; read-only.
    """

    def __init__(self, config: Config, bars: Bars, window: Window, outcome: Outcome) -> None:
        self.config = config
        self.bars = bars
        self.window = window
        self.outcome = outcome
        # Every figure is made from it when asked for, so nobody may change it in between.
        outcome.equity.flags.writeable = False
        self.equity = outcome.equity

    @property
    def name(self) -> str:
        """The strategy's name: its kind, or that of its class where it is Python code."""
        strategy = self.config.strategy
        return strategy.name if isinstance(strategy, Recorded) else strategy.kind

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

    @property
    def is_event_driven(self) -> bool:
        """Whether orders were made by a strategy in Python, or by a frame."""
        return isinstance(self.config.strategy, Recorded)

    @cached_property
    def trips(self) -> list[RoundTrip]:
        """The round trips as plain objects."""
        outcome = self.outcome
        if self.is_event_driven:
            window = self.window
            return compute_symbol_trips(
                outcome.where,
                outcome.fills,
                window.close,
                last_bar=window.first + len(self.equity) - 1,
            )
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
