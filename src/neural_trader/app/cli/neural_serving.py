"""``neural-trader neural forecast``, ``export`` and ``import``."""

import json
import math
from typing import TYPE_CHECKING, Any

import click

from neural_trader.core import ConfigError, DataError

if TYPE_CHECKING:
    from neural_trader.core import Bars
    from neural_trader.forecast import Forecast, Forecaster


@click.command(short_help="Forecast the next bars of a series.")
@click.option("--model", "folder", type=click.Path(), required=True, help="Folder of the network.")
@click.option("--symbol", help="The series.  [default: the one that there is]")
@click.option("--data", metavar="NAME|PATH", help="Bars.  [default: those of the training]")
@click.option("--end", metavar="DATE", help="Last session that is read.  [default: the last]")
@click.option("--level", type=float, help="Of the interval.  [default: 0.9]")
@click.option(
    "--engine",
    type=click.Choice(("compiled", "numpy", "onnx")),
    default="compiled",
    show_default=True,
    help="What computes the network.",
)
@click.option("--trust-model", is_flag=True, help="The network's forecast, judged good or not.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def forecast(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Forecast the bars after the last one, with an interval.

    A network that did not pass its evaluation for the series does not forecast it: the baseline
    does, and the source says so.
    """
    from neural_trader.forecast import load

    forecaster = load(
        options["folder"],
        engine=options["engine"],
        level=options["level"],
        trust_model=options["trust_model"],
    )
    symbol = options["symbol"]
    # Before bars are read: the model knows what it can forecast.
    forecaster.source(symbol)
    bars = _load(options, forecaster, symbol)
    found = forecaster.forecast(bars, symbol=symbol)
    if options["as_json"]:
        click.echo(json.dumps(_plain(found), indent=2, allow_nan=False))
    else:
        _print(found)


@click.command(short_help="Write a network as an ONNX file.")
@click.option("--model", "folder", type=click.Path(), required=True, help="Folder of the network.")
@click.option(
    "--onnx", is_flag=False, flag_value="", metavar="[FILE]", help="The format, and the file."
)
@click.option("--output", type=click.Path(), help="The file, where --onnx does not name it.")
@click.option("--level", type=float, help="Of the interval.  [default: 0.9]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def export(
    folder: str, onnx: str | None, output: str | None, level: float | None, *, as_json: bool
) -> None:
    """Write a network as an ONNX file that takes any number of windows at once.

    It takes values and gives forecasts in their unit, with the ends of an interval.
    """
    from neural_trader.forecast import export_onnx, load_artefact

    if onnx is None:
        message = "there is one format so far: give --onnx FILE"
        raise ConfigError(message)
    named = {path for path in (onnx, output) if path}
    if len(named) != 1:
        message = f"--onnx is {onnx!r} and --output {output!r}; name one file with either"
        raise ConfigError(message)
    artefact = load_artefact(folder)
    path = export_onnx(artefact, named.pop(), level=level)
    if as_json:
        written = {"onnx": str(path), "bytes": path.stat().st_size}
        written |= {"lookback": artefact.network.lookback, "horizon": artefact.network.horizon}
        click.echo(json.dumps(written, indent=2))
    else:
        click.echo(f"written  {path}")


@click.command("import", short_help="Import a network that neuralforecast trained.")
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, file_okay=False),
    required=True,
    help="Folder that NeuralForecast.save wrote; it is unpickled, so trust where it comes from.",
)
@click.option("--output", type=click.Path(), required=True, help="Folder of the network.")
@click.option("--series", help="Comma-separated: names that it may be asked for.  [default: any]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def import_(source: str, output: str, series: str | None, *, as_json: bool) -> None:
    """Import an NHITS that neuralforecast trained; served by us, it gives the same numbers.

    neuralforecast must be installed to read its own folder; what is written needs nothing of it.
    """
    from pathlib import Path

    from neural_trader.forecast import check_output, from_neuralforecast, save_artefact

    check_output(Path(output).expanduser())
    names = [] if series is None else [name.strip() for name in series.split(",")]
    if not all(names):
        message = f"--series is {series!r}; expected names such as KO,PEP"
        raise ConfigError(message)
    artefact = from_neuralforecast(_read_library(source), series=names)
    written = save_artefact(artefact, output)
    network = artefact.network
    if as_json:
        said = {"output": str(written), "lookback": network.lookback, "horizon": network.horizon}
        said |= {"levels": list(network.levels), "series": list(artefact.series)}
        said |= {
            "normalization": artefact.normalization.kind,
            "provenance": artefact.provenance._asdict(),
        }
        click.echo(json.dumps(said, indent=2))
    else:
        click.echo(
            f"saved  {written}: {network.horizon} bars from {network.lookback}, "
            f"{artefact.normalization.kind}; not evaluated, and without intervals"
        )


def _read_library(folder: str) -> Any:  # noqa: ANN401 - theirs
    """Return the object that neuralforecast saved in a folder."""
    from importlib import import_module

    try:
        library = import_module("neuralforecast").NeuralForecast
    except ImportError:
        message = (
            "neuralforecast is not installed, and its folders can be read by nothing else; run: "
            "pip install neuralforecast"
        )
        raise ConfigError(message) from None
    try:
        return library.load(folder)
    # Whatever its reader raises: the folder is not what it wrote.
    except Exception as error:
        message = f"neuralforecast cannot read {folder}: {type(error).__name__}: {error}"
        raise DataError(message) from error


def _load(options: dict[str, Any], forecaster: "Forecaster", symbol: str | None) -> "Bars":
    """Return the bars to forecast from."""
    from neural_trader.data import load

    series = forecaster.artefact.series
    if not options["data"] and not forecaster.provenance["train_end"]:
        message = "this network was imported, and brought no data with it: give --data NAME|PATH"
        raise ConfigError(message)
    data = options["data"] or forecaster.provenance["data"]
    wanted = symbol or (series[0] if len(series) == 1 else None)
    try:
        return load(data, symbols=wanted and [wanted], end=options["end"])
    except DataError as error:
        if options["data"]:
            raise
        message = f"{error}. The model was trained on {data}: name its bars, or others, with --data"
        raise DataError(message) from None


def _plain(found: "Forecast") -> dict[str, Any]:
    """Return a forecast as JSON can hold it; an end that is unknown is null."""
    plain = found._asdict()
    for name in ("forecast", "lower", "upper"):
        if plain[name] is not None:
            ends = plain[name].tolist()
            plain[name] = [value if math.isfinite(value) else None for value in ends]
    return plain


def _print(found: "Forecast") -> None:
    """Print a forecast as a table, and what it is worth."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    names = ["bar", "forecast"]
    columns = [found.forecast]
    if found.lower is not None and found.upper is not None:
        names += [f"lower {found.level:g}", f"upper {found.level:g}"]
        columns += [found.lower, found.upper]
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for step in range(found.horizon):
        table.add_row(f"+{step + 1}", *(f"{column[step]:,.4f}" for column in columns))
    console = Console(highlight=False)
    console.print(f"{found.symbol or 'series'} as of {found.as_of}, by {found.source}")
    console.print(table)
    console.print(found.verdict)
