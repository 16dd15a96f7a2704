"""The price table: what instances have and cost, from a dated TOML file that its user may edit."""

import math
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec

from neural_trader.core import DataError

SHIPPED: Final = Path(__file__).with_name("prices.toml")
_GIB_MB: Final = 2**30 / 1e6

_Positive = Annotated[float, msgspec.Meta(gt=0.0)]
_Name = Annotated[str, msgspec.Meta(min_length=1)]


class Instance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine to rent.

    Parameters
    ----------
    name : str
    vcpus : int
        Virtual CPUs: hardware threads, mostly.
    memory_gib : float
    per_hour : float
        In the table's currency.
    sustained : float
        The part of its CPUs that it may use all day long, above 0 and at most 1.
    sure : bool
        Whether whoever wrote the price was sure of it.
    """

    name: _Name
    vcpus: Annotated[int, msgspec.Meta(ge=1)]
    memory_gib: _Positive
    per_hour: _Positive
    sustained: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 1.0
    sure: bool = True

    @property
    def memory_mb(self) -> float:
        """Its memory in MB."""
        return self.memory_gib * _GIB_MB


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of prices of one day and place."""

    date: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    source: _Name
    instances: Annotated[tuple[Instance, ...], msgspec.Meta(min_length=1)]
    currency: _Name = "USD"
    hours_per_month: _Positive = 730.0
    disk_per_gb_month: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0


class Need(NamedTuple):
    """What is needed, headroom included: cores at the peak and all day long, and memory in MB."""

    cores_peak: float
    cores_day: float
    memory_mb: float


def read_prices(path: Path = SHIPPED) -> Prices:
    """Read a price table.

    Raises
    ------
    DataError
        There is no such file, it is no TOML, a field is unknown, missing or out of range, or two
        instances have one name.
    """
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=Prices)
    except OSError as error:
        message = f"cannot read the prices {path}: {error.strerror}; give a TOML file"
        raise DataError(message) from None
    except (msgspec.DecodeError, ValueError) as error:
        message = f"{path}: {error}. docs/benchmarks.md shows the file"
        raise DataError(message) from None
    figures = [found.hours_per_month, found.disk_per_gb_month]
    figures += [x for one in found.instances for x in (one.per_hour, one.memory_gib)]
    if not all(math.isfinite(figure) for figure in figures):
        message = f"{path}: a figure is infinite or no number; expected finite ones"
        raise DataError(message)
    names = [one.name for one in found.instances]
    again = next((name for name in names if names.count(name) > 1), None)
    if again is not None:
        message = f"{path}: {again!r} stands twice among the instances; expected names that differ"
        raise DataError(message)
    return found


def choose_instance(need: Need, prices: Prices) -> Instance | None:
    """Return the cheapest instance that has what is needed, or None where none has.

    Of two that cost the same it is the one that stands first.
    """
    fitting = [
        one
        for one in prices.instances
        if one.vcpus >= need.cores_peak
        and one.vcpus * one.sustained >= need.cores_day
        and one.memory_mb >= need.memory_mb
    ]
    return min(fitting, key=lambda one: one.per_hour, default=None)
