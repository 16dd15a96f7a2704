"""What a trial is besides its parameters: strategy, data, arguments, and a hash of them."""

import datetime as dt
import functools
import hashlib
import json
from typing import Any

import msgspec

from neural_trader.backtesting.events import is_own
from neural_trader.backtesting.recorded import record
from neural_trader.backtesting.sweeps.grid import Grid
from neural_trader.core import Bars
from neural_trader.core.version import VERSION


def make_provenance(
    make: Any,  # noqa: ANN401 - what makes strategies, whatever it is
    first: Any,  # noqa: ANN401 - a strategy of any kind
    bars: Bars,
    arguments: dict[str, Any],
    *,
    grid: Grid,
) -> dict[str, Any]:
    """Return version, configuration and its hash, data name and hash, labels, grid.

    Two sweeps are the same where the hash of the configuration, that of the data and the version
    are: a trial of one is then a trial of the other.
    """
    plain = {name: msgspec.to_builtins(value, enc_hook=repr) for name, value in arguments.items()}
    config = {"strategy": _strategy(make, first, grid)} | plain
    text = json.dumps(config, sort_keys=True, separators=(",", ":"))
    return {
        "version": VERSION,
        "config": config,
        "config_hash": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}",
        "data_name": bars.name,
        "data_hash": bars.data_hash,
        "data_labels": list(bars.labels),
        "grid": {name: list(values) for name, values in grid.items()},
    }


def _strategy(make: Any, first: Any, grid: Grid) -> dict[str, Any]:  # noqa: ANN401
    """Return a strategy's name and the parameters that the grid leaves alone."""
    if not is_own(first):
        given = {name: getattr(first, name) for name in first.__struct_fields__}
        kind, source = first.kind, ""
    else:
        recorded = record(first, ())
        kind, source = recorded.name, recorded.source
        # What a factory was given is exact; of another callable there is what it made.
        partial = isinstance(make, functools.partial)
        given = make.keywords if partial else getattr(make, "fixed", recorded.parameters)
    fixed = {name: _plain(value) for name, value in sorted(given.items()) if name not in grid}
    return {"kind": kind, "source": source} | fixed


def _plain(value: object) -> Any:  # noqa: ANN401 - what JSON can hold
    if isinstance(value, dt.date):
        return value.isoformat()
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return repr(value)
