"""``neural-trader bench profile``: where a case spends its time and memory."""

import json
from pathlib import Path

import click

from neural_trader.core import ConfigError
from neural_trader.core.files import write_whole


@click.command("profile", short_help="Show where a case spends its time and memory.")
@click.argument("case")
@click.option("--cpu", "is_cpu", is_flag=True, help="A flame graph, by py-spy.  [default]")
@click.option("--memory", "is_memory", is_flag=True, help="The heap over time, by memray.")
@click.option("--async", "is_async", is_flag=True, help="The event loop of the gateway under load.")
@click.option(
    "--seconds", type=click.FloatRange(0.1, 600.0), default=5.0, show_default=True, help="How long."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the page to this file.  [default: profile-CASE-KIND.svg or .html]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def bench_profile(
    case: str,
    *,
    is_cpu: bool,
    is_memory: bool,
    is_async: bool,
    seconds: float,
    output: Path | None,
    as_json: bool,
) -> None:
    """Repeat a CASE of the bench in a fresh process, watch it, and draw what was seen.

    CASE is a backtest (pairs_1y, pairs_all), of the engine (sweep, own_pairs, orders), a portfolio
    (metrics_51x252), a risk (linear, options), a forecast (one), data, or a load on the gateway
    (gateway, closed, open_1000, window_8). Exit code 6 where the work or the profiler fails.
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from neural_trader.bench.profile_page import render_profile, summary_lines
    from neural_trader.bench.profiling import check_case, profile_cpu, profile_loop, profile_memory

    if is_cpu + is_memory + is_async > 1:
        message = "--cpu, --memory and --async are given together; expected one of them"
        raise ConfigError(message)
    kind = "memory" if is_memory else "async" if is_async else "cpu"
    check_case(case, kind)
    path = output or Path(f"profile-{case}-{kind}.{'svg' if kind == 'cpu' else 'html'}")
    if not path.absolute().parent.is_dir():
        message = f"--output is {str(path)!r}; its folder does not exist"
        raise ConfigError(message)
    measure = {"cpu": profile_cpu, "memory": profile_memory, "async": profile_loop}[kind]
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(f"{case}: {kind}", total=None)
        profile = measure(case, seconds)
    with write_whole(path) as file:
        file.write(render_profile(profile).encode())
    if as_json:
        told = {"case": case, "kind": kind, "tool": profile.tool, "output": str(path)}
        click.echo(json.dumps(told | profile.figures, indent=2))
        return
    for line in summary_lines(profile):
        click.echo(line)
    click.echo(f"written: {path}")
