"""Who forecasts a series: the network where it has earned it, else the baseline that it lost to."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError
from neural_trader.forecast.artefact import MODEL, Artefact, Offsets

LEVEL: Final = 0.9
"""Of the intervals, where none is asked for and the artefact has it."""
_JUDGED_BY_NOBODY: Final = (
    "Not evaluated: whether this network forecasts better than its last value is not known."
)


class Standing(NamedTuple):
    """What an artefact serves.

    Attributes
    ----------
    passed : bool, shape (S,)
        Of each series, whether the network forecasts it; of an artefact without series one value.
    verdict : str
        What the evaluation came to.
    level : float
        Of the intervals; NaN where there are none.
    offsets : dict of str to Offsets
        By source.
    """

    passed: NDArray[np.bool_]
    verdict: str
    level: float
    offsets: dict[str, Offsets]


def standing_of(artefact: Artefact, *, level: float | None, trust_model: bool) -> Standing:
    """Return what an artefact serves.

    Parameters
    ----------
    artefact : Artefact
    level : float or None
        Of the intervals; by default ``LEVEL`` where the artefact has it, else its highest.
    trust_model : bool
        The network forecasts every series, whatever the evaluation says.

    Raises
    ------
    ConfigError
        A level that the artefact has no calibration for.
    """
    is_judged = bool(artefact.card)
    verdict = str(artefact.card.get("verdict", "")) if is_judged else _JUDGED_BY_NOBODY
    series = artefact.series or ("",)
    # A network that nobody has judged was imported for its own forecasts: there is no gate to pass.
    earned = [not is_judged or artefact.source(name) == MODEL for name in series]
    if trust_model and not all(earned):
        verdict = f"{verdict} The network is served all the same, because it was asked for."
    level = _level(artefact, level)
    sources = (MODEL, artefact.baseline.name)
    offsets = {source: _offsets(artefact, source, level) for source in sources}
    return Standing(np.array(earned) | trust_model, verdict.strip(), level, offsets)


def _level(artefact: Artefact, level: float | None) -> float:
    """Return the level of the intervals, NaN where there are none."""
    known = sorted({one.level for ladder in artefact.offsets.values() for one in ladder})
    if level is None:
        return LEVEL if LEVEL in known else known[-1] if known else float("nan")
    near = [one for one in known if abs(one - level) < 1e-9] if isinstance(level, float) else []
    if not near:
        has = ", ".join(f"{one:g}" for one in known)
        told = f"calibrated to {has} alone" if known else "not calibrated: it has no intervals"
        message = f"level is {level!r}; this model is {told}"
        raise ConfigError(message)
    return near[0]


def _offsets(artefact: Artefact, source: str, level: float) -> Offsets:
    """Return the offsets of a source; NaN where it has none, which makes no interval."""
    for offsets in artefact.offsets.get(source, ()):
        if offsets.level == level:
            return offsets
    nothing = np.full(artefact.network.horizon, np.nan)
    return Offsets(float("nan"), nothing, nothing)
