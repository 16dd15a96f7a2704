"""What a Sharpe ratio is worth that is the best of many."""

import math
from typing import Final

from neural_trader.core.errors import ConfigError
from neural_trader.portfolio.reference import probability_of_skill

_EULER: Final = 0.5772156649015329


def expected_best_sharpe(trials: int, deviation: float) -> float:
    """Return the Sharpe ratio that the best of many trials has by luck alone.

    Parameters
    ----------
    trials : int
        Independent trials, at least one; of one nothing was chosen, and 0 is returned.
    deviation : float
        Standard deviation of the ratios of all trials, of a period or of a year as they are.

    Raises
    ------
    ConfigError
        There is no trial, or the deviation is below zero or not a number.

    References
    ----------
    Bailey and Lopez de Prado (2014), The Deflated Sharpe Ratio, equation 1.
    """
    if trials < 1:
        message = f"trials is {trials}; expected how many were tried, 1 or more"
        raise ConfigError(message)
    if not 0.0 <= deviation < math.inf:
        message = f"deviation is {deviation}; expected that of the trials' ratios, 0 or more"
        raise ConfigError(message)
    if trials == 1:
        return 0.0
    from statistics import NormalDist

    quantile = NormalDist().inv_cdf
    return deviation * (
        (1.0 - _EULER) * quantile(1.0 - 1.0 / trials)
        + _EULER * quantile(1.0 - 1.0 / (trials * math.e))
    )


def deflated_sharpe(
    ratio: float,
    observations: int,
    skew: float,
    excess_kurtosis: float,
    *,
    trials: int,
    deviation: float,
) -> float:
    """Return the probability that the best of many trials has skill.

    Parameters
    ----------
    ratio : float
        Sharpe ratio of the best, of a period: ``sharpe`` over the root of periods a year.
    observations : int
        Its returns, at least two.
    skew, excess_kurtosis : float
        Of its returns, as ``measure`` gives them.
    trials : int
        How many were tried. Trials that resemble each other count for less than they are; their
        number is the cautious choice.
    deviation : float
        Standard deviation of the trials' ratios, of a period.

    Returns
    -------
    float
        The probabilistic Sharpe ratio against ``expected_best_sharpe``, between 0 and 1; NaN where
        skew and kurtosis leave the ratio no variance.

    Raises
    ------
    ConfigError
        A number does not fit.

    References
    ----------
    Bailey and Lopez de Prado (2014), The Deflated Sharpe Ratio, equation 2.

    Examples
    --------
    >>> ratio, deviation = 2.5 / 250**0.5, (0.5 / 250) ** 0.5
    >>> round(deflated_sharpe(ratio, 1250, -3.0, 7.0, trials=100, deviation=deviation), 4)
    0.9004
    """
    if observations < 2:
        message = f"observations is {observations}; expected the number of returns, 2 or more"
        raise ConfigError(message)
    luck = expected_best_sharpe(trials, deviation)
    return probability_of_skill(ratio, observations, skew, excess_kurtosis, target=luck)
