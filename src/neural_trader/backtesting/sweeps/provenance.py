"""What a trial is besides its parameters: strategy, data, arguments, and a hash of them."""

import contextlib
import datetime as dt
import functools
import hashlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

import msgspec

from neural_trader.backtesting.events import is_own
from neural_trader.backtesting.sweeps.grid import Grid, as_text
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
        # Everything that the first one carries, private or not: two factories that differ only in
        # something hidden must not take each other's trials over.
        given = {name: value for name, value in vars(first).items() if name != "symbols"}
        if isinstance(make, functools.partial):
            given = {"args": make.args} | make.keywords
        elif hasattr(make, "fixed"):
            given = make.fixed
        kind, source = type(first).__name__, _source(make, type(first))
    fixed = {name: _plain(value) for name, value in sorted(given.items()) if name not in grid}
    return {"kind": kind, "source": source} | fixed


def _source(make: Any, kind: type) -> str:  # noqa: ANN401
    """Return a hash of a strategy's code: of its whole file, or of its class and their bases."""
    path = getattr(make, "path", None)
    if path is not None:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    texts = []
    for each in kind.__mro__:
        with contextlib.suppress(OSError, TypeError):
            texts.append(inspect.getsource(each))
    return hashlib.sha256("".join(texts).encode()).hexdigest() if texts else ""


def _plain(value: object) -> Any:  # noqa: ANN401 - what JSON can hold
    if isinstance(value, dt.date):
        return value.isoformat()
    # Where an object stands in memory says nothing, and would change the hash of every run.
    return json.loads(re.sub(r" at 0x[0-9a-f]+", "", as_text(value)))
