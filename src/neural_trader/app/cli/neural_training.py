"""``neural-trader neural train``, ``evaluate`` and ``card``."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from neural_trader.core import Bars
    from neural_trader.forecast import Artefact

_INTERRUPTED = 130


@click.command(short_help="Train a network, and judge it.")
@click.option(
    "--model", type=click.Choice(("nhits",)), default="nhits", show_default=True, help="Its kind."
)
@click.option("--data", required=True, metavar="NAME|PATH", help="Bars, whose closes are forecast.")
@click.option("--symbols", help="Comma-separated; all of the data by default.")
@click.option("--start", metavar="DATE", help="First session.")
@click.option("--end", metavar="DATE", help="Last session, inclusive.")
@click.option("--horizon", type=int, required=True, help="Bars ahead.")
@click.option("--output", type=click.Path(), required=True, help="Folder of the trained network.")
@click.option("--lookback", type=int, help="Bars of a window.  [default: 64]")
@click.option("--width", type=int, help="Of its layers.  [default: 64]")
@click.option("--steps", type=int, help="Of training, at most.  [default: 300]")
@click.option("--seed", type=int, help="Of first weights and batches.  [default: 1]")
@click.option(
    "--device", default="auto", show_default=True, help="auto, cpu or cuda; auto: a GPU if any."
)
@click.option("--test-start", metavar="DATE", help="Judged from here.  [default: the last 40 %]")
@click.option("--folds", type=int, help="Networks that the test is walked with.  [default: 3]")
@click.option("--cost-bps", type=float, help="Of a trade, on the card.  [default: 10]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def train(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Train a network, and judge it walk-forward on bars that it has not seen.

    It is trusted only for series for which it beats naive and drift by more than luck explains; for
    all others forecasts come from the better of those two. Ctrl-C keeps the best so far, judges and
    saves it, and ends with exit code 130.
    """
    from neural_trader import forecast

    config = forecast.NHiTSConfig(
        **_given(options, "horizon", "lookback", "width", "steps", "seed")
    )
    evaluation = forecast.EvaluationConfig(**_given(options, "test_start", "folds", "cost_bps"))
    output = Path(options["output"]).expanduser()
    forecast.check_output(output)
    panel = forecast.panel_of(_load(options, options["symbols"]))
    with _progress() as progress:
        artefact = forecast.train(
            panel,
            config,
            evaluation,
            device=options["device"],
            progress=progress,
            trials=forecast.count_trials(output, panel, config, evaluation),
        )
    forecast.save_artefact(artefact, output)
    forecast.record_trial(output, artefact, evaluation)
    if options["as_json"]:
        click.echo(json.dumps(_plain(artefact) | {"output": str(output)}, indent=2))
    else:
        _print(artefact.card)
        click.echo(f"saved   {output}")
    if artefact.card["training"]["is_interrupted"]:
        last = artefact.card["training"]["fits"][-1]
        click.echo(
            f"interrupted: kept the network of step {last['best_step']} of training "
            f"{len(artefact.card['training']['fits'])}, made with bars up to {last['to']}",
            err=True,
        )
        click.get_current_context().exit(_INTERRUPTED)


@click.command(short_help="Judge a network on bars it has not seen.")
@click.option("--model", "folder", type=click.Path(), required=True, help="Its folder.")
@click.option("--data", required=True, metavar="NAME|PATH", help="Bars, with later ones.")
@click.option("--start", metavar="DATE", help="First session to load.")
@click.option("--end", metavar="DATE", help="Last session, inclusive.")
@click.option("--test-start", metavar="DATE", help="Judged from here, if that is later.")
@click.option("--cost-bps", type=float, help="Of a trade, on the card.  [default: 10]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def evaluate(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Judge a network, as it is, on the bars after those that it was made with."""
    from neural_trader import forecast

    evaluation = forecast.EvaluationConfig(**_given(options, "test_start", "cost_bps"))
    artefact = forecast.load_artefact(options["folder"])
    found = forecast.evaluate(
        artefact, _load(options, ",".join(artefact.series) or None), evaluation
    )
    if options["as_json"]:
        click.echo(json.dumps(found, indent=2))
    else:
        _print(found)


@click.command(short_help="Show the evaluation card of a network.")
@click.option("--model", "folder", type=click.Path(), required=True, help="Its folder.")
@click.option("--output", type=click.Path(), help="Write it as one HTML file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def card(folder: str, output: str | None, as_json: bool) -> None:
    """Show how a network was judged, as text, JSON or one HTML file."""
    from neural_trader import forecast

    artefact = forecast.load_artefact(folder)
    written = None
    if output is not None:
        from neural_trader.reports import report

        written = str(report(artefact, output))
    if as_json:
        click.echo(json.dumps(_plain(artefact) | {"output": written}, indent=2))
    elif written is not None:
        click.echo(f"card    {written}")
    else:
        _print(artefact.card)


def _given(options: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the options that were given; the configuration has the defaults of the others."""
    return {name: options[name] for name in names if options[name] is not None}


def _load(options: dict[str, Any], symbols: str | None) -> "Bars":
    from neural_trader.data import load

    names = None if symbols is None else [name.strip() for name in symbols.split(",")]
    return load(options["data"], symbols=names, start=options["start"], end=options["end"])


def _plain(artefact: "Artefact") -> dict[str, Any]:
    import msgspec

    return {
        "verdict": artefact.card.get("verdict"),
        "sources": {name: artefact.source(name) for name in artefact.series},
        "card": artefact.card,
        "config": msgspec.to_builtins(artefact.config),
        "provenance": artefact.provenance._asdict(),
    }


def _print(found: dict[str, Any]) -> None:
    from neural_trader.reports import print_card

    print_card(found)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """Show how far the trainings are, on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("training", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("training", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
