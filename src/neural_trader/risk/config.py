"""What a risk figure is computed by."""

import math
from typing import Final, Literal

import msgspec

from neural_trader.core import ConfigError
from neural_trader.core.numbers import plain_number, settle

Method = Literal["historical", "normal", "student-t", "cornish-fisher", "evt", "fhs", "monte-carlo"]
METHODS: Final[tuple[Method, ...]] = (
    "historical",
    "normal",
    "student-t",
    "cornish-fisher",
    "evt",
    "fhs",
    "monte-carlo",
)
SIMULATED: Final = ("fhs", "monte-carlo")
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "method": METHODS,
    "mean": ("zero", "sample"),
    "filter": ("ewma", "garch"),
    "draws": ("pseudo", "sobol"),
    "device": ("auto", "cpu", "cuda"),
}
_COUNTS: Final[dict[str, tuple[int, int]]] = {
    "horizon": (1, 10_000),
    "simulations": (1, 1_000_000_000),
    "seed": (0, 2**63 - 1),
    "scrambles": (16, 100_000),
    "threads": (1, 1_024),
}


class RiskConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How value at risk and expected shortfall are computed.

    Parameters
    ----------
    method : {"historical", "normal", "student-t", "cornish-fisher", "evt", "fhs", "monte-carlo"}
    confidence : float
        Between 0 and 1, both excluded.
    horizon : int
        Periods that the positions are held.
    mean : {"zero", "sample"}
        Of the models; historical figures take the days as they were.
    age_weight : float, optional
        ``historical``: a day's weight over that of the next one, above 0 and below 1; None weighs
        all days alike.
    degrees : float or "fit", optional
        Of freedom, above 2. ``student-t`` fits them by default, ``monte-carlo`` is normal without.
    tail : float
        ``evt``: the share of the losses that lies beyond the threshold.
    decay : float
        ``fhs``: of the EWMA variance a period, between 0 and 1.
    filter : {"ewma", "garch"}
        ``fhs``: what the volatility is filtered with; ``garch`` needs the extra ``garch``.
    simulations, seed : int
        ``fhs`` and ``monte-carlo``.
    draws, scrambles, device, threads
        ``monte-carlo``: ``pseudo`` or ``sobol`` with so many scrambles, where, on how many threads.

    Raises
    ------
    ConfigError
        A value lies outside its range.
    """

    method: Method = "historical"
    confidence: float = 0.99
    horizon: int = 1
    mean: Literal["zero", "sample"] = "zero"
    age_weight: float | None = None
    degrees: float | Literal["fit"] | None = None
    tail: float = 0.05
    decay: float = 0.94
    filter: Literal["ewma", "garch"] = "ewma"
    simulations: int = 10_000
    seed: int = 7
    draws: Literal["pseudo", "sobol"] = "pseudo"
    scrambles: int = 16
    device: Literal["auto", "cpu", "cuda"] = "cpu"
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, and keep numbers in their plain form."""
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                message = f"{name} is {getattr(self, name)!r}; expected one of {', '.join(known)}"
                raise ConfigError(message)
        for name, (least, most) in _COUNTS.items():
            value = getattr(self, name)
            number = plain_number(value)
            if not (number.is_integer() and least <= number <= most):
                message = f"{name} is {value!r}; expected a whole number from {least:,} to {most:,}"
                raise ConfigError(message)
            settle(self, **{name: int(number)})
        self._check_fractions()
        needed = math.ceil(1.0 / (1.0 - self.confidence) - 1e-9)
        if self.method in SIMULATED and self.simulations < needed:
            message = (
                f"simulations is {self.simulations:,}; a confidence of {self.confidence:g} needs "
                f"{needed:,} or more, for its tail to hold one"
            )
            raise ConfigError(message)
        if self.degrees is not None and self.degrees != "fit":
            degrees = plain_number(self.degrees)
            if not degrees > 2.0:
                message = (
                    f"degrees is {self.degrees!r}; expected a number above 2, for the variance to "
                    "exist, or fit"
                )
                raise ConfigError(message)
            settle(self, degrees=degrees)

    def _check_fractions(self) -> None:
        fractions = {"confidence": self.confidence, "tail": self.tail, "decay": self.decay}
        if self.age_weight is not None:
            fractions["age_weight"] = self.age_weight
        for name, value in fractions.items():
            number = plain_number(value)
            if not 0.0 < number < 1.0:
                hint = ""
                if name == "confidence" and 1.0 < number < 100.0:
                    hint = f"; write {number / 100.0:g} for {number:g} %"
                message = f"{name} is {value!r}; expected a fraction between 0 and 1{hint}"
                raise ConfigError(message)
            settle(self, **{name: number})
