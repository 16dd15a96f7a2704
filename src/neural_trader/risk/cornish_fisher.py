"""The Cornish-Fisher expansion: quantiles from skew and kurtosis.

References
----------
Cornish and Fisher 1938; Maillard 2012, for the domain and the expected shortfall; Martin and Arora
2017; Boudt, Peterson and Croux 2008, for components by the derivatives of the moments.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.risk.config import RiskConfig
from neural_trader.risk.distributions import normal_density, normal_quantile
from neural_trader.risk.history import NOISE

Floats = NDArray[np.float64]


class Terms(NamedTuple):
    """A point of the expansion: base + skew S + kurtosis K - square S^2."""

    base: float
    skew: float
    kurtosis: float
    square: float


def expand(point: float, *, beyond: bool = False) -> Terms:
    """Return the terms at a point of the normal distribution, or their mean beyond a confidence.

    Parameters
    ----------
    point : float
        The normal quantile z; with ``beyond`` the confidence.
    beyond : bool

    Notes
    -----
    q(z) = z + (z^2 - 1) S / 6 + (z^3 - 3z) K / 24 - (2 z^3 - 5z) S^2 / 36. In Hermite polynomials
    these are He1, He2 / 6, He3 / 24 and (2 He3 + He1) / 36, and the integral of He(k) times the
    normal density beyond z is He(k - 1) times the density at z.
    """
    if not beyond:
        z = point
        cubic = z**3 - 3.0 * z
        return Terms(z, (z * z - 1.0) / 6.0, cubic / 24.0, (2.0 * cubic + z) / 36.0)
    z = normal_quantile(point)
    mean = normal_density(z) / (1.0 - point)
    second = z * z - 1.0
    return Terms(mean, mean * z / 6.0, mean * second / 24.0, mean * (2.0 * second + 1.0) / 36.0)


def is_monotone(skew: float, kurtosis: float) -> bool:
    """Return whether the expansion grows everywhere: else its quantiles are out of order.

    Parameters
    ----------
    skew, kurtosis : float
        The third and fourth cumulants over powers of the deviation; kurtosis beyond 3.

    Notes
    -----
    q'(z) = (K / 8 - S^2 / 6) z^2 + (S / 3) z + 1 - K / 8 + 5 S^2 / 36 must not be negative.
    """
    curve = kurtosis / 8.0 - skew * skew / 6.0
    slope = skew / 3.0
    level = 1.0 - kurtosis / 8.0 + 5.0 * skew * skew / 36.0
    if curve <= 0.0:
        return curve == 0.0 and slope == 0.0 and level >= 0.0
    return slope * slope <= 4.0 * curve * level


class Moments(NamedTuple):
    """Moments of losses over the horizon, and how they move with each loss.

    Attributes
    ----------
    mean, deviation, skew, kurtosis : float
        Deviation with ddof 1; skew and excess kurtosis of the population.
    slopes : float64 array, shape (4, n)
        Of the four by the loss of each scenario.
    undefined : str
        Why there is no expansion, or empty.
    """

    mean: float
    deviation: float
    skew: float
    kurtosis: float
    slopes: Floats
    undefined: str = ""

    @classmethod
    def of(cls, losses: Floats, config: RiskConfig) -> "Moments":
        """Return the moments of losses of a period, for the horizon of independent periods.

        Notes
        -----
        Mean and variance grow by h, skew falls by sqrt(h), excess kurtosis by h.
        """
        n, h = len(losses), float(config.horizon)
        average = float(losses.mean())
        x = losses - average
        m2, m3, m4 = (float((x**power).mean()) for power in (2, 3, 4))
        if np.ptp(losses) <= NOISE * max(abs(average), float(np.abs(losses).max()), 1e-300):
            return cls(average, 0.0, math.nan, math.nan, np.zeros((4, n)), "losses do not vary")
        deviation = math.sqrt(m2 * n / (n - 1.0))
        skew, raw = m3 / m2**1.5, m4 / m2**2
        by_mean = np.full(n, 1.0 / n)
        by_m2, by_m3 = 2.0 * x / n, 3.0 * (x**2 - m2) / n
        by_m4 = 4.0 * (x**3 - m3) / n
        slopes = np.stack(
            [
                by_mean * h,
                deviation * by_m2 / (2.0 * m2) * math.sqrt(h),
                (by_m3 / m2**1.5 - 1.5 * skew * by_m2 / m2) / math.sqrt(h),
                (by_m4 / m2**2 - 2.0 * raw * by_m2 / m2) / h,
            ]
        )
        if config.mean == "zero":
            slopes[0] = 0.0
        skew, kurtosis = skew / math.sqrt(h), (raw - 3.0) / h
        why = ""
        if not is_monotone(skew, kurtosis):
            why = (
                f"skew {skew:.4g} and excess kurtosis {kurtosis:.4g} of the losses lie outside the "
                "domain in which the expansion is monotone"
            )
        mean = average * h if config.mean == "sample" else 0.0
        return cls(mean, deviation * math.sqrt(h), skew, kurtosis, slopes, why)

    def figure(self, terms: Terms) -> tuple[float, Floats]:
        """Return mean + deviation x (expansion), and its slope by the loss of each scenario."""
        base, skew, kurtosis, square = terms
        s = self.skew
        multiple = base + skew * s + kurtosis * self.kurtosis - square * s * s
        by_mean, by_deviation, by_skew, by_kurtosis = self.slopes
        weights = by_mean + multiple * by_deviation
        weights = weights + self.deviation * (
            (skew - 2.0 * square * s) * by_skew + kurtosis * by_kurtosis
        )
        return self.mean + self.deviation * multiple, weights
