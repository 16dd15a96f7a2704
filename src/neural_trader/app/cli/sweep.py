"""``neural-trader sweep``: run a strategy with every combination of parameters."""

import functools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neural_trader.app.cli import run_options
from neural_trader.core import ConfigError

if TYPE_CHECKING:
    from neural_trader.backtesting import SweepResult
    from neural_trader.strategies import StrategyFile

# The backspace tells click to keep the lines that follow.
_HELP = """Run a strategy with every combination of parameters.

\b
neural-trader sweep --strategy pairs --symbols KO,PEP \\
    --data sp500-closes --grid lookback=20:110:10 \\
    --grid entry=1.25:3.5:0.25 --grid exit=0.1:1.0:0.1

Every trial is written into a ledger, so that later statistics know how many there were. Ctrl-C
keeps what is done there; --resume goes on from it.
"""


@click.command(help=_HELP)
@run_options.strategy
@run_options.parameters
@click.option(
    "--grid",
    "grids",
    multiple=True,
    required=True,
    metavar="NAME=VALUES",
    help="FIRST:LAST:STEP, inclusive, or A,B,C; once for each parameter.",
)
@run_options.data
@run_options.run
@click.option("--split", metavar="DATE", help="Choose before this session, judge from it on.")
@click.option(
    "--rank-by",
    type=click.Choice(("sharpe", "final_equity", "total_return", "max_drawdown")),
    default="sharpe",
    show_default=True,
    help="What the best is chosen by.",
)
@click.option(
    "--workers", type=int, help="Threads or processes.  [default: as many as there are cores]"
)
@click.option(
    "--engine",
    type=click.Choice(("threads", "processes")),
    help="[default: threads, processes for a strategy of your own]",
)
@click.option(
    "--ledger",
    "ledger_path",
    type=click.Path(),
    default="trials.sqlite",
    show_default=True,
    help="The file in which every trial is written down.",
)
@click.option("--no-ledger", is_flag=True, help="Write no trial down.")
@click.option("--resume", is_flag=True, help="Take over what the ledger has of the same sweep.")
@click.option("--report", "report_path", type=click.Path(), help="Write an HTML report.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def sweep(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Run a strategy with every combination of parameters."""
    from neural_trader.backtesting import sweep as run

    chosen = run_options.read_strategy(options)
    ledger = _read_ledger(options)
    report_path = options["report_path"]
    run_options.check_paths(
        {"--data": options["data"], "--ledger": ledger, "--report": report_path}
    )
    # A sweep may take hours: where its report goes is looked at before.
    if report_path is not None and not Path(report_path).expanduser().absolute().parent.is_dir():
        message = f"--report is {report_path!r}; its folder does not exist"
        raise ConfigError(message)
    grid = _read_grids(options["grids"])
    make = _factory(chosen, run_options.read_parameters(options, chosen), grid)
    bars = run_options.read_bars(options, chosen)
    given = {name: options[name] for name in ("split", "rank_by", "workers", "engine", "resume")}
    with _progress() as progress:
        result = run(
            make,
            bars,
            grid,
            ledger=ledger,
            progress=progress,
            **given,
            **run_options.read_run(options),
        )
    written = _write(result, options, ledger)
    if options["as_json"]:
        asked = {} if isinstance(chosen, run_options.Compiled) else _asked(result)
        click.echo(json.dumps(_plain(result) | asked | written, indent=2))
        return
    from neural_trader.reports import print_sweep

    print_sweep(result)
    for name, value in written.items():
        click.echo(f"{name:<8}{value}")


def _read_ledger(options: dict[str, Any]) -> str | None:
    """Return the path of the ledger, or None where none is kept."""
    if options["no_ledger"]:
        if options["resume"]:
            message = "--resume takes trials over from a ledger; leave out --no-ledger"
            raise ConfigError(message)
        return None
    path: str = options["ledger_path"]
    if not path.strip():
        message = f"--ledger is {path!r}; expected the name of a file, or use --no-ledger"
        raise ConfigError(message)
    return path


def _read_grids(texts: tuple[str, ...]) -> dict[str, tuple[Any, ...]]:
    """Return the values of every parameter."""
    from neural_trader.backtesting import read_grid_text

    grid: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        name, values = read_grid_text(text)
        if name in grid:
            message = f"--grid gives {name} twice; expected each parameter once"
            raise ConfigError(message)
        grid[name] = values
    return grid


def _factory(
    chosen: "run_options.Compiled | run_options.FromLibrary | StrategyFile",
    fixed: dict[str, Any],
    grid: dict[str, Any],
) -> Callable[..., Any]:
    """Return what makes a trial's strategy out of its parameters."""
    both = [name for name in fixed if name in grid]
    if both:
        message = f"{both[0]} is given a value and a grid; leave one of them out"
        raise ConfigError(message)
    if isinstance(chosen, run_options.FromLibrary):
        return functools.partial(chosen.kind, **chosen.fixed, **fixed)
    if not isinstance(chosen, run_options.Compiled):
        return type(chosen)(chosen.name, **fixed)
    unknown = [name for name in grid if name not in chosen.kind.__struct_fields__]
    if unknown:
        taken = [name for name in chosen.kind.__struct_fields__ if name not in _SYMBOLS]
        message = f"--grid names {unknown[0]!r}; {chosen.kind.kind} takes {', '.join(taken)}"
        raise ConfigError(message)
    return functools.partial(chosen.kind, *chosen.symbols, **fixed)


_SYMBOLS = ("y", "x", "symbol")


def _write(result: "SweepResult", options: dict[str, Any], ledger: str | None) -> dict[str, str]:
    """Write what was asked for, and return where it is."""
    written = {} if ledger is None else {"ledger": ledger}
    if options["report_path"]:
        from neural_trader.reports import report

        written["report"] = str(report(result, options["report_path"]))
    return written


def _plain(result: "SweepResult") -> dict[str, Any]:
    refused = [
        {"parameters": result.parameters(place), "reason": reason}
        for place, reason in result.not_run[:10]
    ]
    return result.summary | {"first_not_run": refused, "provenance": result.provenance}


def _asked(result: "SweepResult") -> dict[str, Any]:
    """Return what trials asked of the indicator cache.

    It depends on the number of processes. Compiled strategies share signals without being asked,
    and print the same bytes on any number of workers, resumed or not.
    """
    stats = result.cache
    if stats is None or not stats.hits + stats.misses:
        return {"indicator_cache": "not used"}
    counts = {"hits": stats.hits, "misses": stats.misses, "hit_rate": stats.hit_rate}
    return {"indicator_cache": counts}


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """Show how far the sweep is, on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("trials", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("trials", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
