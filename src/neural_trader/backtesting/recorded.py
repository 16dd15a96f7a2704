"""What a result keeps of a strategy that is Python code: name, parameters, hash of its source."""

import contextlib
import functools
import hashlib
import inspect
import json
import re
from typing import Any, ClassVar

import msgspec

from neural_trader.backtesting.intents import Intents, TargetWeights


class Recorded(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A strategy as its result remembers it; it cannot be run again from this alone.

    Parameters
    ----------
    name : str
        The name of its class.
    symbols : tuple of str
        What the run traded.
    parameters : dict
        What it carried before the run and JSON can hold; the rest in the words of ``repr``.
    source : str
        SHA-256 of the source of its class, empty where Python does not have it; of the content,
        where the strategy is a frame.
    notes : tuple of str
        What the strategy has every result say.
    """

    name: str
    symbols: tuple[str, ...]
    parameters: dict[str, Any]
    source: str
    notes: tuple[str, ...] = ()

    kind: ClassVar[str] = "event"
    signal_names: ClassVar[tuple[str, ...]] = ()
    warmup_bars: ClassVar[int] = 0
    sizing: ClassVar[str] = "decided by the strategy"
    skip_reasons: ClassVar[tuple[str, ...]] = (
        "open_at_the_end",
        "ambiguous_bars",
        "stale_marks",
        "denied_warming_up",
        "denied_stopped",
        "denied_no_price",
    )


@functools.lru_cache(maxsize=64)
def _source_hash(kind: type) -> str:
    """Return the hash of a class's source; finding it takes longer than a run: once is enough."""
    with contextlib.suppress(OSError, TypeError):
        return hashlib.sha256(inspect.getsource(kind).encode()).hexdigest()
    return ""


def record_frame(frame: Intents | TargetWeights, symbols: tuple[str, ...]) -> Recorded:
    """Return what a result keeps of a strategy that is a frame."""
    return Recorded(
        name=type(frame).__name__,
        symbols=symbols,
        parameters={"rows": len(frame.schedule.ts_close_ns)},
        source=frame.digest,
    )


def record(strategy: object, symbols: tuple[str, ...]) -> Recorded:
    """Return what a result keeps of a strategy; to be called before it runs and changes."""
    if isinstance(strategy, (Intents, TargetWeights)):
        rows = {"rows": len(strategy.schedule.ts_close_ns)}
        return Recorded(
            name=type(strategy).__name__, symbols=symbols, parameters=rows, source=strategy.digest
        )
    kind: type = type(strategy)
    carried = {
        name: value
        for name, value in vars(strategy).items()
        if not name.startswith("_") and name not in ("symbols", "notes")
    }
    parameters = {}
    for name, value in sorted(carried.items()):
        if hasattr(value, "_fields"):
            # JSON would make a bare list of it.
            parameters[name] = repr(value)
            continue
        try:
            parameters[name] = json.loads(json.dumps(value))
        except (TypeError, ValueError):
            # Where an object stands in memory says nothing, and would change the hash of every run.
            parameters[name] = re.sub(r" at 0x[0-9a-f]+", "", repr(value))
    return Recorded(
        name=kind.__name__,
        symbols=symbols,
        parameters=parameters,
        source=_source_hash(kind),
        notes=tuple(getattr(strategy, "notes", ())),
    )
