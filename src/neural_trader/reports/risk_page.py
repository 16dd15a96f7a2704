"""The report of a portfolio's risk: one self-contained HTML file."""

import math
from collections.abc import Callable
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

import msgspec

from neural_trader.core import ConfigError, DataError
from neural_trader.core.files import write_whole
from neural_trader.reports.formats import cell, head, number, percent, table
from neural_trader.reports.risk_drawings import draw_backtest, draw_bars, draw_distribution

if TYPE_CHECKING:
    from neural_trader.risk import (
        RiskBacktest,
        RiskConfig,
        RiskResult,
        Situation,
        StressPlan,
        StressResult,
    )

_DAYS: Final = 1_000
_WINDOW: Final = 500


def risk_report(
    situation: "Situation",
    path: str | Path,
    *,
    config: "RiskConfig | None" = None,
    plan: "StressPlan | None" = None,
    days: int = _DAYS,
    on_day: Callable[[int, int], None] | None = None,
) -> Path:
    """Write what positions can lose: one HTML file that opens offline.

    Parameters
    ----------
    situation : Situation
        From ``neural_trader.risk.read_situation``.
    path : str or Path
        A file; its folder must exist. It is replaced only by a complete new report.
    config : RiskConfig, optional
        Method and settings of the figures and of the model's backtest.
    plan : StressPlan, optional
    days : int
        The last days of the history on which the model is tested, 1 or more.
    on_day : callable, optional
        Told how many of them are done, and of how many.

    Returns
    -------
    Path
        Where the report is.

    Raises
    ------
    ConfigError
        A setting cannot be used.
    DataError
        As the figures' own, or the file cannot be written.

    Notes
    -----
    The same situation and settings give the same bytes. A backtest for which the history is too
    short, or a method that cannot be computed, is said on the page, with its reason.
    """
    from neural_trader.risk import RiskConfig, measure_risk, stress

    if days < 1:
        message = f"days is {days}; expected 1 or more"
        raise ConfigError(message)
    path = Path(path).expanduser()
    config = RiskConfig() if config is None else config
    found, stressed = measure_risk(situation, config), stress(situation, plan)
    tested = _tested(situation, config, days, on_day)
    page = _render(situation, found, stressed, tested)
    with write_whole(path) as file:
        file.write(page.encode())
    return path


def _tested(
    situation: "Situation",
    config: "RiskConfig",
    days: int,
    on_day: Callable[[int, int], None] | None,
) -> "RiskBacktest | str":
    """Return the backtest of the model over the last days, or why there is none."""
    from neural_trader.core.sessions import session_date
    from neural_trader.risk import backtest_risk

    count = len(situation.history.returns)
    window = min(_WINDOW, count // 2)
    first = max(count - days, window)
    start = str(session_date(int(situation.history.ts_close_ns[1 + first])))
    single = msgspec.structs.replace(config, horizon=1)
    try:
        return backtest_risk(situation, single, window=window, start=start, on_day=on_day)
    except (ConfigError, DataError) as error:
        return str(error)


def _render(
    situation: "Situation",
    found: "RiskResult",
    stressed: "StressResult",
    tested: "RiskBacktest | str",
) -> str:
    asset = files("neural_trader.reports") / "assets"

    def text(name: str) -> str:
        return (asset / name).read_text(encoding="utf-8")

    losses, spread = _losses(situation, found)
    config = found.provenance["config"]
    shown = sorted(found.components, key=lambda name: -abs(_size(found.components[name])))
    notes = [*found.notes, *(f"left out: {why}" for why in stressed.refused.values())]
    notes += [f"{name}: {why}" for name, why in found.undefined.items() if "error" not in name]
    return Template(text("risk.html")).substitute(
        title=escape(f"Risk, {found.provenance['as_of']}: {found.label}"),
        heading=escape(
            f"{', '.join(list(found.components)[:6])}"
            + (" and more" if len(found.components) > 6 else "")
        ),
        subtitle=_terms(
            {
                "As of": found.provenance["as_of"],
                "Method": found.label,
                "Confidence": f"{config['confidence']:g}",
                "Horizon": found.definitions["horizon"],
                "Data": f"{found.provenance['data']}, {found.definitions['window']}",
                "Mean": found.definitions["mean"],
            }
        ),
        cards=_cards(found, tested),
        notes="".join(f"<li>{escape(note)}</li>" for note in notes) or "<li>Nothing more.</li>",
        spread=escape(spread),
        distribution=draw_distribution(losses, found),
        contributions=draw_bars(
            "Contributions to ES",
            [
                (name, 0.0 - _size(found.components[name]), number(found.components[name]))
                for name in shown
            ],
        ),
        symbols=_symbols(found, shown),
        methods=_methods(situation, found),
        stress=draw_bars(
            "Stress losses",
            [(one.name, 0.0 - one.loss, number(0.0 - one.loss)) for one in stressed.losses],
        ),
        crises=_crises(stressed),
        reverse=_reverse(stressed),
        **_backtest(tested),
        definitions=table(
            "Definitions", [(name, words, "text") for name, words in found.definitions.items()]
        ),
        provenance=table("Provenance", _provenance(found)),
        version=escape(found.provenance["version"]),
        style=text("report.css"),
    )


def _size(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _terms(terms: dict[str, str]) -> str:
    return "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in terms.items()
    )


def _losses(situation: "Situation", found: "RiskResult") -> tuple[Any, str]:
    """Return the losses to draw, and what they are."""
    from neural_trader.risk import RiskConfig, measure_risk

    beside = "Lines: VaR and, dashed, ES; bands: one standard error on each side."
    if len(found.losses):
        kind = "simulated" if found.simulations else "past"
        return found.losses, f"{len(found.losses):,} {kind} losses over the horizon. {beside}"
    config = found.provenance["config"]
    past = measure_risk(situation, RiskConfig(horizon=config["horizon"], confidence=0.5)).losses
    words = f"{len(past):,} past losses over the horizon; the lines are those of the model. "
    return past, words + beside


def _cards(found: "RiskResult", tested: "RiskBacktest | str") -> str:
    def error(value: float) -> str:
        return "closed form" if math.isnan(value) else f"± {number(value)} standard error"

    shown = [
        ("VaR", number(found.var), error(found.std_error)),
        ("ES", number(found.es), error(found.es_std_error)),
        (
            "Value",
            number(found.value),
            f"VaR {percent(found.var / found.value)} of it" if found.value > 0.0 else "not above 0",
        ),
    ]
    if not isinstance(tested, str):
        counted, zone = tested.tests, tested.tests["traffic_light"]["color"]
        shown.append(
            (
                "Exceptions",
                f"{counted['exceptions']:,}",
                f"{counted['expected']:,.1f} expected on {counted['days']:,} days; {zone}",
            )
        )
    return "".join(
        f'<div class="card"><dt>{escape(name)}</dt><dd class="figure">{value}</dd>'
        f'<dd class="aside">{escape(beside)}</dd></div>'
        for name, value, beside in shown
    )


def _symbols(found: "RiskResult", shown: list[str]) -> str:
    columns = (
        ("exposure", found.exposures, 2),
        ("ES component", found.components, 2),
        ("VaR component", found.component_var, 2),
        ("incremental VaR", found.incremental, 2),
        ("marginal ES", found.marginal, 5),
    )
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(cell(number(values[name], digits)) for _, values, digits in columns)
        + "</tr>"
        for name in shown
    )
    total = cell("") + cell(number(found.es), "total") + cell(number(found.var), "total")
    body += f'<tr><th scope="row">total</th>{total}{cell("")}{cell("")}</tr>'
    labels = ["symbol", *(name for name, _, _ in columns)]
    return f"<table>{head(labels, {'symbol'})}<tbody>{body}</tbody></table>"


def _methods(situation: "Situation", found: "RiskResult") -> str:
    """Return VaR and ES by every method, with the reason where one has none."""
    from neural_trader.risk import METHODS, RiskConfig, measure_risk

    given = found.provenance["config"]
    rows = []
    for method in METHODS:
        config = RiskConfig(
            method=method,
            confidence=given["confidence"],
            horizon=given["horizon"],
            mean=given["mean"],
            simulations=given["simulations"],
            seed=given["seed"],
        )
        try:
            other = found if method == found.method else measure_risk(situation, config)
        except (ConfigError, DataError) as failure:
            rows.append((method, "–", "–", "–", str(failure)))
            continue
        why = other.undefined.get("var", "")
        error = "–" if math.isnan(other.std_error) else number(other.std_error)
        rows.append((method, number(other.var), number(other.es), error, why or other.label))
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(cell(text) for text in row[1:4])}'
        f"{cell(row[4], 'text')}</tr>"
        for row in rows
    )
    labels = ["method", "VaR", "ES", "error of VaR", "what was done"]
    return f"<table>{head(labels, {'method', 'what was done'})}<tbody>{body}</tbody></table>"


def _crises(stressed: "StressResult") -> str:
    rows = [one for one in stressed.losses if one.kind == "history"]
    if not rows:
        return ""
    body = "".join(
        f'<tr><th scope="row">{escape(one.name)} {escape(one.title)}</th>'
        + cell(f"{one.details['start']} to {one.details['end']}")
        + cell(number(one.loss))
        + cell(one.details["worst"])
        + cell(number(one.details["loss_at_end"]))
        + cell(number(one.details["worst_day_loss"]))
        + cell(one.details["worst_day"])
        + "</tr>"
        for one in rows
    )
    labels = ["crisis", "window", "worst loss", "on", "loss at its end", "worst day", "on that day"]
    return f"<table>{head(labels, {'crisis'})}<tbody>{body}</tbody></table>"


def _reverse(stressed: "StressResult") -> str:
    worst = stressed.reverse
    if worst is None:
        return ""
    rows = [
        (name, f"{number(move * 100.0)} %, gains {number(gained)}", "")
        for name, move, gained in zip(
            stressed.symbols, worst.moves.tolist(), worst.gains.tolist(), strict=True
        )
    ]
    rows.append(("distance", f"{worst.distance:.2f} deviations; {worst.label}", "text"))
    rows.append(("probability of as much or more", f"{worst.probability:.3g}", ""))
    title = f"The most likely way to lose {number(worst.loss)}"
    return f'<div class="panel spaced">{table(title, rows)}</div>'


def _backtest(tested: "RiskBacktest | str") -> dict[str, str]:
    if isinstance(tested, str):
        why = f"<p>{escape(tested)}</p>"
        return {"backtest_note": "Not tested.", "backtest": why, "tests": ""}
    note = (
        f"Bars: profit and loss of today's positions on each day. Line: minus VaR, dashed: minus "
        f"ES, from the {tested.provenance['window']:,} returns before the day. Dots: exceptions."
    )
    rows = []
    for name in ("kupiec", "independence", "conditional_coverage", "z1", "z2"):
        one = tested.tests[name]
        words = one["undefined"] or f"{number(one['statistic'], 3)}, p {number(one['p_value'], 4)}"
        rows.append((name.replace("_", " "), words, ""))
    zones = []
    for name in ("traffic_light", "traffic_light_last_250"):
        zone = tested.tests[name]
        words = f"{zone['color']}, {percent(zone['probability'])} at most as many"
        zones.append((name.replace("_", " "), words, ""))
    zones += [(name, words, "text") for name, words in tested.definitions.items()]
    tests = f'<div class="panel">{table("Tests", rows)}</div>'
    tests += f'<div class="panel">{table("Zones and definitions", zones)}</div>'
    return {
        "backtest_note": escape(note),
        "backtest": draw_backtest(tested),
        "tests": tests,
    }


def _provenance(found: "RiskResult") -> list[tuple[str, str, str]]:
    given = found.provenance
    rows = [
        (name.replace("_", " "), str(value), "text code")
        for name, value in given.items()
        if name not in ("config", "labels")
    ]
    rows += [
        (name.replace("_", " "), str(value), "text code")
        for name, value in given["config"].items()
        if value is not None
    ]
    return rows + [(name, words, "text") for name, words in found.estimates.items()]
