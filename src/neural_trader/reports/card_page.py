"""The evaluation card of a forecast as one HTML file."""

import json
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

import msgspec

from neural_trader.core.version import VERSION
from neural_trader.forecast import Artefact
from neural_trader.reports import card_plots
from neural_trader.reports.card_text import check_card, rows, share
from neural_trader.reports.formats import cell, head, table

Found = dict[str, Any]

_NAMED_MAX: Final = 30
_ABOUT: Final = (
    "The network is trusted only where it beats naive and drift with a Holm-adjusted p below 5 % "
    "and a resampled skill above zero; elsewhere forecasts come from the baseline.",
    "Skill in the past is no promise: the test says what luck does not explain, not what lasts.",
    "A hit rate must beat always saying up, since most markets rose.",
    "Neighboring origins overlap; tests and intervals allow for that, and say with how many lags.",
)
_SURVIVORS: Final = (
    "These series are survivors: they are known today because they lasted, which flatters whatever "
    "is long."
)


def render_card(artefact: Artefact) -> str:
    """Return the page of a card.

    Parameters
    ----------
    artefact : Artefact

    Raises
    ------
    DataError
        The network was imported, and not judged.
    """
    card = artefact.card
    check_card(card)
    asset = files("neural_trader.reports") / "assets"

    def text(name: str) -> str:
        return (asset / name).read_text(encoding="utf-8")

    heading = f"{card['model']}, {card['horizon']} bars ahead, {len(card['series'])} series"
    shown = card.get("fan", {"as_of": artefact.provenance.as_of, "series": {}})
    levels = [f"{100.0 * rung['level']:g} %" for rung in next(iter(card["coverage"].values()), [])]
    return Template(text("card.html")).substitute(
        title=escape(f"Evaluation card: {heading}"),
        heading=escape(heading),
        verdict=escape(card["verdict"]),
        terms=_terms(artefact),
        cards=_cards(card),
        notes="".join(f"<li>{escape(note)}</li>" for note in _notes(card)),
        as_of=escape(str(shown["as_of"])),
        levels=escape(", ".join(levels)),
        fans=_fans(shown["series"]),
        by_series=card_plots.skill_by_series(card["by_series"]),
        by_step=card_plots.skill_by_step(card["by_step"]),
        coverage=_coverage(card["coverage"]),
        figures=table("Figures", [(name, value, "text") for name, value in rows(card)]),
        training=_training(card),
        table=_series(card),
        provenance=_provenance(artefact),
        version=escape(VERSION),
        style=text("report.css"),
    )


def _terms(artefact: Artefact) -> str:
    card, given = artefact.card, artefact.provenance
    named = ", ".join(card["series"][:_NAMED_MAX])
    more = len(card["series"]) - _NAMED_MAX
    terms = {
        "Data": f"{given.data}{' (' + ', '.join(given.labels) + ')' if given.labels else ''}",
        "Judged on": f"{card['test']['from']} to {card['test']['to']}",
        "Trained on": f"{given.train_start} to {given.train_end}",
        "Series": named + (f" and {more} more" if more > 0 else ""),
    }
    return "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in terms.items()
    )


def _cards(card: Found) -> str:
    passed = len(card["gate"]["passed"])
    shown = [
        (
            "Series that pass",
            f"{passed} of {len(card['series'])}",
            f"the others: {card['gate']['baseline']}" if passed < len(card["series"]) else "",
        )
    ]
    for name in ("naive", "drift"):
        figure, _, ends = share(card["skill"][name], 2).partition(" [")
        shown.append((f"Skill over {name}", figure, f"[{ends}" if ends else ""))
    way = card["direction"]
    figure, _, ends = share(way | {"value": way["difference"]}, 2).partition(" [")
    shown.append(("Hit rate less always up", figure, f"[{ends}" if ends else ""))
    return "".join(
        f'<div class="card"><dt>{escape(name)}</dt><dd class="figure">{escape(value)}</dd>'
        f'<dd class="aside">{escape(beside)}</dd></div>'
        for name, value, beside in shown
    )


def _notes(card: Found) -> list[str]:
    notes = [f"{card['gate']['why']}.".capitalize(), *_ABOUT]
    if "survivors" in card["labels"]:
        notes.append(_SURVIVORS)
    if card["trials"]["count"] > 1:
        notes.append(
            f"{card['trials']['count']} different trainings were judged on this test part: the "
            "best of many is partly luck."
        )
    if card.get("training", {}).get("is_interrupted"):
        notes.append("Training was interrupted; this is the best network until then.")
    return notes


def _fans(series: Found) -> str:
    if not series:
        return "<p>Nothing was forecast beyond the data.</p>"
    return "".join(
        f'<figure class="panel"><figcaption>{escape(name)} <span>from '
        f"{escape(found['source'])}</span></figcaption>{card_plots.fan(found)}</figure>"
        for name, found in series.items()
    )


def _coverage(found: Found) -> str:
    return "".join(
        f'<figure class="panel"><figcaption>{escape(source)}</figcaption>'
        f"{card_plots.coverage(ladder)}</figure>"
        for source, ladder in found.items()
        if ladder
    )


def _training(card: Found) -> str:
    if "training" not in card:
        return ""
    made = [
        (
            f"{fit['from']} to {fit['to']}",
            f"step {fit['best_step']} of {fit['steps']}; loss {_loss(fit['loss_untrained'])} → "
            f"{_loss(fit['loss'])}",
            "text",
        )
        for fit in card["training"]["fits"]
    ]
    return table("Trainings: bars, step taken, loss on the validation part", made)


def _loss(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _series(card: Found) -> str:
    names = [
        "series", "skill over naive", "skill over drift", "p against naive", "p against drift",
        "p, Holm", "forecasts from",
    ]  # fmt: skip
    body = ""
    for name, found in card["by_series"].items():
        cells = [share(value, 2) for value in found["skill"].values()]
        cells += [f"{value['p_value']:.3f}" for value in found["diebold_mariano"].values()]
        cells.append(f"{found['p_value_holm']:.3f}")
        cells.append(card["model"] if found["is_passed"] else card["gate"]["baseline"])
        body += f'<tr><th scope="row">{escape(name)}</th>{"".join(map(cell, cells))}</tr>'
    return f"<table>{head(names, {'series'})}<tbody>{body}</tbody></table>"


def _provenance(artefact: Artefact) -> str:
    given = artefact.provenance._asdict() | {"labels": ", ".join(artefact.provenance.labels)}
    found = [(name, str(value), "code") for name, value in given.items()]
    found += [
        (name, json.dumps(value), "code")
        for name, value in msgspec.to_builtins(artefact.config).items()
    ]
    return table("Provenance", found)
