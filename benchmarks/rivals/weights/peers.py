"""The cases in the words of scikit-learn, PyPortfolioOpt, Riskfolio-Lib and skfolio.

``python peers.py RETURNS.npz`` prints one line of JSON. Solvers are asked for more digits than they
give by default. Views: AAPL returns 10 % a year with confidence 0.6, KO 2 % more than PEP with 0.3;
the market is the rank of the names, 1 to 20.
"""

import json
import sys
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd
import riskfolio
import sklearn.covariance as shrinkage
from pypfopt import BlackLittermanModel, EfficientFrontier, HRPOpt
from skfolio import RiskMeasure
from skfolio.moments import OAS, LedoitWolf
from skfolio.optimization import MeanRisk, ObjectiveFunction, RiskBudgeting
from skfolio.prior import EmpiricalPrior

YEAR = 252
FINE = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12}
BANKS = ["BAC", "JPM"]


def pypfopt(frame):
    """Return weights of PyPortfolioOpt."""
    mean, covariance = frame.mean() * YEAR, frame.cov() * YEAR

    def front(low=0.0, high=1.0):
        return EfficientFrontier(
            mean, covariance, (low, high), solver="CLARABEL", solver_options=FINE
        )

    def solved(made, call):
        call(made)
        return dict(zip(made.tickers, made.weights.tolist(), strict=True))

    grouped = front()
    grouped.add_sector_constraints(
        {name: "banks" if name in BANKS else "others" for name in frame},
        {"banks": 0.1},
        {"banks": 0.12},
    )
    hrp = HRPOpt(frame)
    hrp.optimize()
    return {
        "min-variance": solved(front(), lambda made: made.min_volatility()),
        "min-variance, at most 0.1": solved(front(0.0, 0.1), lambda made: made.min_volatility()),
        "min-variance, short": solved(front(-0.1, 0.3), lambda made: made.min_volatility()),
        "min-variance, banks": solved(grouped, lambda made: made.min_volatility()),
        "max-sharpe": solved(front(), lambda made: made.max_sharpe(risk_free_rate=0.0)),
        "max-sharpe, 0.02, at most 0.15": solved(
            front(0.0, 0.15), lambda made: made.max_sharpe(risk_free_rate=0.02)
        ),
        "mean-variance, 10": solved(
            front(), lambda made: made.max_quadratic_utility(risk_aversion=10)
        ),
        "mean-variance, 0.15": solved(front(), lambda made: made.efficient_return(0.15)),
        "hrp, correlation": {name: float(hrp.weights[k]) for k, name in enumerate(hrp.tickers)},
    }


def pypfopt_views(frame):
    """Return the posterior of PyPortfolioOpt."""
    market = pd.Series(np.arange(1.0, 21.0) / 210.0, index=frame.columns)
    covariance = frame.cov() * YEAR
    pick = np.zeros((2, len(frame.columns)))
    pick[0, frame.columns.get_loc("AAPL")] = 1.0
    pick[1, frame.columns.get_loc("KO")], pick[1, frame.columns.get_loc("PEP")] = 1.0, -1.0
    model = BlackLittermanModel(
        covariance,
        pi=2.5 * covariance @ market,
        Q=np.array([0.10, 0.02]),
        P=pick,
        omega="idzorek",
        view_confidences=[0.6, 0.3],
        tau=0.05,
    )
    return {
        "expected": model.bl_returns().tolist(),
        "covariance": model.bl_cov().to_numpy().tolist(),
    }


def skfolio(frame):
    """Return weights of skfolio."""
    plain = {"solver_params": FINE}
    models = {
        "min-variance, ledoit-wolf": MeanRisk(
            prior_estimator=EmpiricalPrior(covariance_estimator=LedoitWolf()), **plain
        ),
        "min-variance, oas": MeanRisk(
            prior_estimator=EmpiricalPrior(covariance_estimator=OAS()), **plain
        ),
        "max-sharpe": MeanRisk(
            objective_function=ObjectiveFunction.MAXIMIZE_RATIO,
            risk_measure=RiskMeasure.VARIANCE,
            **plain,
        ),
        "risk-parity": RiskBudgeting(risk_measure=RiskMeasure.VARIANCE, **plain),
        "risk-parity, budgets": RiskBudgeting(
            risk_measure=RiskMeasure.VARIANCE, risk_budget=np.arange(1.0, 21.0), **plain
        ),
        "risk-parity, at most 0.06": RiskBudgeting(
            risk_measure=RiskMeasure.VARIANCE, max_weights=0.06, **plain
        ),
    }
    return {
        name: dict(zip(frame.columns, model.fit(frame).weights_.tolist(), strict=True))
        for name, model in models.items()
    }


def riskfolio_weights(frame):
    """Return weights of Riskfolio-Lib."""
    tree = riskfolio.HCPortfolio(returns=frame)
    hrp = tree.optimization(
        model="HRP", codependence="pearson", rm="MV", linkage="single", leaf_order=False
    )
    book = riskfolio.Portfolio(returns=frame)
    book.assets_stats(method_mu="hist", method_cov="hist")
    book.solvers, book.sol_params = ["CLARABEL"], {"CLARABEL": FINE}
    parity = book.rp_optimization(model="Classic", rm="MV", rf=0, b=None, hist=True)
    least = book.optimization(model="Classic", rm="MV", obj="MinRisk", rf=0, l=0, hist=True)
    found = {"hrp, correlation": hrp, "risk-parity": parity, "min-variance": least}
    return {name: made["weights"].to_dict() for name, made in found.items()}


def main():
    """Print what they say."""
    warnings.filterwarnings("ignore")
    given = np.load(sys.argv[1])
    frame = pd.DataFrame(
        given["table"],
        columns=given["series"].tolist(),
        index=pd.bdate_range("2018-01-01", periods=len(given["table"])),
    )
    cases = {}
    for library, ask in (
        ("PyPortfolioOpt", pypfopt),
        ("skfolio", skfolio),
        ("Riskfolio-Lib", riskfolio_weights),
    ):
        for name, weights in ask(frame).items():
            cases[f"{library}: {name}"] = weights
    ledoit_wolf, intensity = shrinkage.ledoit_wolf(frame.to_numpy())
    oas, oas_intensity = shrinkage.oas(frame.to_numpy())
    packages = ("scikit-learn", "PyPortfolioOpt", "skfolio", "Riskfolio-Lib", "cvxpy", "clarabel")
    answer = {
        "cases": cases,
        "posterior": pypfopt_views(frame),
        "covariance": {"ledoit-wolf": ledoit_wolf.tolist(), "oas": oas.tolist()},
        "intensity": {"ledoit-wolf": float(intensity), "oas": float(oas_intensity)},
        "versions": {package: version(package) for package in packages},
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
