"""What every risk figure means, in words that are printed beside it."""

from typing import Final

from neural_trader.core.sessions import session_date
from neural_trader.risk.config import SIMULATED, RiskConfig
from neural_trader.risk.history import History

_VAR: Final = {
    "empirical": "order statistic ceil(n c) of the losses",
    "weighted": "least loss at which the weights of the losses up to it reach the confidence",
    "normal": "z x deviation x sqrt(horizon)",
    "student-t": "t quantile x deviation x sqrt((degrees - 2) / degrees) x sqrt(horizon)",
    "cornish-fisher": "normal quantile corrected by skew and excess kurtosis, x deviation",
    "evt": "threshold + scale / shape ((n / exceedances (1 - c))^-shape - 1)",
}
_ES: Final = {
    "empirical": "mean of the worst 1 - c, the boundary loss by its fraction (Acerbi-Tasche)",
    "normal": "mean of the normal distribution beyond VaR",
    "student-t": "mean of the Student-t distribution beyond VaR",
    "cornish-fisher": "mean of the expansion beyond VaR (Maillard 2012)",
    "evt": "(VaR + scale - shape x threshold) / (1 - shape)",
}
_HORIZON: Final = {
    "historical": "overlapping losses over {h} periods in a row",
    "normal": "one period x sqrt({h})",
    "student-t": "one period x sqrt({h}); an approximation, since sums of Student-t are not",
    "cornish-fisher": "deviation x sqrt({h}), skew / sqrt({h}), kurtosis / {h}",
    "evt": "fitted to overlapping losses over {h} periods in a row",
    "fhs": "{h} simulated steps, volatility going on from step to step",
    "monte-carlo": "{h} simulated steps, compounded",
}
_COMPONENTS: Final = {
    "evt": "the mean loss of each symbol beyond the threshold, in proportion",
    "cornish-fisher": "derivative by the size of each symbol's positions",
    "normal": "derivative by each exposure times the exposure",
    "student-t": "derivative by each exposure times the exposure",
}


def describe(config: RiskConfig, history: History, *, has_options: bool) -> dict[str, str]:
    """Return the definitions of a figure, by name.

    Parameters
    ----------
    config : RiskConfig
    history : History
    has_options : bool
    """
    method = config.method
    kind = method if method in _ES else "empirical"
    is_weighted = method == "historical" and config.age_weight is not None
    first = session_date(int(history.ts_close_ns[1]))
    words = {
        "loss": "of today's positions at the as-of prices, in money; positive is lost",
        "as_of": f"{history.as_of}",
        "returns": "simple, close to close, on the days that all symbols have",
        "window": f"{len(history.returns):,} returns, {first} to {history.as_of}",
        "mean": _mean(config),
        "deviation": "ddof 1",
        "var": _VAR["weighted" if is_weighted else kind],
        "es": _ES[kind],
        "horizon": "one period"
        if config.horizon == 1
        else _HORIZON[method].format(h=config.horizon),
        "components": "ES by symbol, options with their underlying; they add up to the total. "
        + _COMPONENTS.get(method, "Mean loss of each symbol in the tail"),
        "component_var": "derivatives, which add up"
        if kind in _COMPONENTS
        else "smoothed: a kernel around the quantile, scaled to add up",
        "marginal": "what ES grows by with one unit of money more in a symbol's shares",
        "incremental": "VaR minus VaR without the symbol's positions; these do not add up",
        "std_error": _error(config),
    }
    if has_options:
        words["options"] = _options(config)
    return words | _estimates(config)


def _mean(config: RiskConfig) -> str:
    if config.method in ("historical", "evt"):
        return "the days as they were; no mean is put in or taken off"
    words = {"zero": "zero", "sample": "that of the window"}[config.mean]
    return f"{words}, of the shocks" if config.method == "fhs" else words


def _error(config: RiskConfig) -> str:
    if config.method in SIMULATED:
        return "of VaR, by simulating; not of the estimates from the data"
    if config.method == "historical":
        text = "of VaR, half the distance of the losses at c -+ sqrt(c (1 - c) / n), days taken as "
        return text + f"independent{'' if config.horizon == 1 else ', n / horizon of them'}"
    return "none: a closed form"


def _options(config: RiskConfig) -> str:
    if config.method in ("normal", "student-t"):
        return "by their delta at the as-of prices; gamma, vega and theta are left out"
    text = "European, Black-Scholes; revalued in full, "
    return text + "the horizon's time gone by, implied volatility unchanged; 365 days a year"


def _estimates(config: RiskConfig) -> dict[str, str]:
    words = {}
    if config.method == "student-t" or (config.method == "monte-carlo" and config.degrees):
        words["degrees"] = (
            "maximum likelihood of the multivariate Student-t, its covariance that of the sample"
            if config.degrees in (None, "fit")
            else "given"
        )
    if config.method == "cornish-fisher":
        words["moments"] = "of past losses, options revalued in full; skew and excess kurtosis "
        words["moments"] += "of the population"
    if config.method == "evt":
        words["tail"] = f"losses beyond the threshold: {config.tail:g} of all; maximum likelihood"
    if config.method == "fhs":
        words["filter"] = (
            f"EWMA, decay {config.decay:g}"
            if config.filter == "ewma"
            else "GARCH(1, 1), normal quasi-maximum likelihood, a symbol at a time"
        )
    return words
