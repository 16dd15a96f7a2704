"""``neural-trader bench``: measure this installation on this machine."""

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from neural_trader.app.cli.bench_baseline import bench_baseline
from neural_trader.app.cli.bench_cost import bench_cost
from neural_trader.app.cli.bench_history import bench_compare, bench_gate, bench_trend
from neural_trader.app.cli.bench_page import (
    PageGroup,
    add_page_commands,
    measure_page,
    page_options,
)
from neural_trader.app.cli.bench_profile import bench_profile
from neural_trader.app.cli.bench_techniques import bench_techniques
from neural_trader.app.cli.bench_tuning import bench_tuning
from neural_trader.core import ConfigError
from neural_trader.core.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neural_trader.bench import Report


@click.group(cls=PageGroup, invoke_without_command=True)
@page_options
@click.option("--peers", "with_peers", is_flag=True, help="Other engines too, where installed.")
@click.pass_context
def bench(ctx: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - those of the page
    """Measure this installation on this machine.

    Without a subcommand: every row of the performance page, quickly, claim beside what is measured.
    A subcommand measures one section of it, or more than the page asks for.
    """
    measure_page(ctx, **options)


add_page_commands(bench)


for _command in (
    bench_baseline,
    bench_compare,
    bench_cost,
    bench_gate,
    bench_profile,
    bench_techniques,
    bench_trend,
    bench_tuning,
):
    bench.add_command(_command)


@bench.command("backtest", short_help="Time the backtest cases.")
@click.option("--case", "names", multiple=True, metavar="NAME", help="Only this case; repeatable.")
@click.option("--rounds", type=click.IntRange(1, 100), default=5, show_default=True, help="Rounds.")
@click.option("--peers", "with_peers", is_flag=True, help="Other engines too, where installed.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_context
def bench_backtest(
    ctx: click.Context,
    names: tuple[str, ...],
    rounds: int,
    *,
    with_peers: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Time the backtest cases in fresh processes, with their answers checked first.

    Exit code 6 where an answer is wrong; 130 where it was interrupted, with the rounds that were
    complete.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from neural_trader.bench import choose_cases, find_peers, print_report, run_suite, steps_of

    cases, cli = choose_cases(names)
    check_output(output)
    columns = (TextColumn("{task.description:<34}"), BarColumn(), TimeElapsedColumn())
    with (
        TemporaryDirectory(prefix="neural-trader-bench-") as folder,
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
    ):
        peers = find_peers(cases, Path(folder)) if with_peers else []
        task = progress.add_task("", total=rounds * steps_of(cases, cli=cli, peers=peers))

        def step(name: str) -> None:
            progress.update(task, advance=1, description=name)

        report, interrupted = run_suite(cases, rounds=rounds, cli=cli, peers=peers, step=step)
    show_report(report, output, print_report, as_json=as_json)
    if interrupted:
        click.echo(f"interrupted after {report.provenance['config']['rounds']} rounds", err=True)
        ctx.exit(130)


@bench.command("engine", short_help="Time sweeps, strategies, orders and indicators.")
@click.option("--case", "names", multiple=True, metavar="NAME", help="Only this case; repeatable.")
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Rounds.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_engine(names: tuple[str, ...], rounds: int, *, output: str | None, as_json: bool) -> None:
    """Time sweeps, strategies, orders and indicators in fresh processes, answers checked first.

    Exit code 6 where an answer is wrong.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from neural_trader.bench import choose_engine_cases, print_engine_report, run_engine_suite

    cases = choose_engine_cases(names)
    check_output(output)
    columns = (TextColumn("{task.description:<16}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=rounds * len(cases))

        def step(name: str) -> None:
            progress.update(task, advance=1, description=name)

        report = run_engine_suite(cases, rounds=rounds, step=step)
    show_report(report, output, print_engine_report, as_json=as_json)


@bench.command("portfolio", short_help="Time metrics, and what a portfolio holds in memory.")
@click.option("--case", "names", multiple=True, metavar="NAME", help="Only this case; repeatable.")
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Rounds.")
@click.option("--peers", "with_peers", is_flag=True, help="Other packages too, where installed.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_portfolio(
    names: tuple[str, ...], rounds: int, *, with_peers: bool, output: str | None, as_json: bool
) -> None:
    """Time portfolio metrics in fresh processes, answers checked first, with NumPy beside them.

    Exit code 6 where an answer is wrong.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from neural_trader.bench import (
        choose_portfolio_cases,
        find_portfolio_peers,
        portfolio_steps_of,
        print_portfolio_report,
        run_portfolio_suite,
    )

    cases = choose_portfolio_cases(names)
    check_output(output)
    columns = (TextColumn("{task.description:<36}"), BarColumn(), TimeElapsedColumn())
    with (
        TemporaryDirectory(prefix="neural-trader-bench-") as folder,
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
    ):
        peers = find_portfolio_peers(Path(folder)) if with_peers else []
        task = progress.add_task("", total=rounds * portfolio_steps_of(cases, peers))

        def step(name: str) -> None:
            progress.update(task, advance=1, description=name)

        report = run_portfolio_suite(cases, rounds=rounds, peers=peers, step=step)
    show_report(report, output, print_portfolio_report, as_json=as_json)


@bench.command("neural", short_help="Time forecasts.")
@click.option("--case", "names", multiple=True, metavar="NAME", help="Only this case; repeatable.")
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Rounds.")
@click.option("--peers", "with_peers", is_flag=True, help="Other libraries too, where installed.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_neural(
    names: tuple[str, ...], rounds: int, *, with_peers: bool, output: str | None, as_json: bool
) -> None:
    """Time forecasts by every engine in fresh processes, answers checked first.

    Exit code 6 where an answer is wrong.
    """
    from neural_trader.bench import choose_neural_cases, print_neural_report, run_neural_suite

    cases = choose_neural_cases(names)
    check_output(output)
    with spinner() as step:
        report = run_neural_suite(cases, rounds=rounds, with_peers=with_peers, step=step)
    show_report(report, output, print_neural_report, as_json=as_json)


@bench.command("orders", short_help="Time the order path, from submission to fill.")
@click.option("--case", "names", multiple=True, metavar="NAME", help="Only this case; repeatable.")
@click.option(
    "--durability",
    type=click.Choice(["process-safe", "power-safe", "both"]),
    default="both",
    show_default=True,
    help="What the journal promises.",
)
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Rounds.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Write the journals here: the disk that is measured.  [default: temporary files]",
)
@click.option("--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_orders(  # noqa: PLR0917 - one parameter an option
    names: tuple[str, ...],
    durability: str,
    rounds: int,
    folder: Path | None,
    output: str | None,
    as_json: bool,
) -> None:
    """Time client, gateway and venue in three processes, beside the floor of the same minutes.

    Exit code 6 where an order was lost, doubled or rejected: then no time is printed.
    """
    from neural_trader.bench import (
        DURABILITIES,
        choose_orders_cases,
        print_orders_report,
        run_orders_suite,
    )

    cases = choose_orders_cases(names)
    check_output(output)
    with spinner() as step:
        report = run_orders_suite(
            cases,
            durabilities=DURABILITIES if durability == "both" else (durability,),
            rounds=rounds,
            folder=folder,
            step=step,
        )
    show_report(report, output, print_orders_report, as_json=as_json)


@bench.command("takeover", short_help="Time gateways that take each other's place under load.")
@click.option(
    "--durability",
    type=click.Choice(["process-safe", "power-safe", "both"]),
    default="both",
    show_default=True,
    help="What the journal promises.",
)
@click.option(
    "--rounds", type=click.IntRange(1, 1000), default=20, show_default=True, help="Take-overs."
)
@click.option(
    "--clients", type=click.IntRange(1, 200), default=16, show_default=True, help="Connections."
)
@click.option(
    "--rate",
    type=click.FloatRange(1, 50_000),
    default=5_000,
    show_default=True,
    help="Orders a second, of all together.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Write the journals here.  [default: temporary files]",
)
@click.option("--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_takeover(  # noqa: PLR0917 - one parameter an option
    durability: str,
    rounds: int,
    clients: int,
    rate: float,
    folder: Path | None,
    output: str | None,
    as_json: bool,
) -> None:
    """Have new gateways take the place of the one that runs, one after the other, under load.

    Exit code 6 where an order was lost or doubled, or a connection broke: then no time is printed.
    """
    from neural_trader.bench import DURABILITIES, print_takeover_report, run_takeover_suite

    check_output(output)
    with spinner() as step:
        report = run_takeover_suite(
            durabilities=DURABILITIES if durability == "both" else (durability,),
            rounds=rounds,
            clients=clients,
            rate=rate,
            folder=folder,
            step=step,
        )
    show_report(report, output, print_takeover_report, as_json=as_json)


@bench.command("risk", short_help="Time simulations: scenarios, options, Sobol points.")
@click.option("--case", "names", multiple=True, metavar="NAME", help="Only this case; repeatable.")
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Rounds.")
@click.option("--peers", is_flag=True, help="QuantLib, skfolio and arch too, where installed.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_risk(
    names: tuple[str, ...], rounds: int, *, peers: bool, output: str | None, as_json: bool
) -> None:
    """Time Monte Carlo in fresh processes beside NumPy and scipy, answers checked first.

    Exit code 6 where an answer is wrong.
    """
    from neural_trader.bench import choose_risk_cases, print_risk_report, run_risk_suite

    cases = choose_risk_cases(names)
    check_output(output)
    with spinner() as step:
        report = run_risk_suite(cases, rounds=rounds, peers=peers, step=step)
    show_report(report, output, print_risk_report, as_json=as_json)


@bench.command("data", short_help="Time files and providers on their way to columns.")
@click.option("--case", "names", multiple=True, metavar="NAME", help="Only this case; repeatable.")
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Rounds.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_data(names: tuple[str, ...], rounds: int, *, output: str | None, as_json: bool) -> None:
    """Time loading, features, sharing and fetching beside pandas, answers compared first.

    Exit code 6 where an answer is wrong.
    """
    from neural_trader.bench import choose_data_cases, print_data_report, run_data_suite

    cases = choose_data_cases(names)
    check_output(output)
    with spinner() as step:
        report = run_data_suite(cases, rounds=rounds, step=step)
    show_report(report, output, print_data_report, as_json=as_json)


@contextmanager
def spinner() -> "Iterator[Callable[[str], None]]":
    """Show what is being measured, and for how long."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description:<48}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda name: progress.update(task, description=name)


def check_output(output: str | None) -> None:
    """Refuse a file whose folder does not exist, before minutes are spent on measuring."""
    if output and not Path(output).absolute().parent.is_dir():
        message = f"--output is {output!r}; its folder does not exist"
        raise ConfigError(message)


def show_report(
    report: "Report", output: str | None, show: "Callable[[Report], None]", *, as_json: bool
) -> None:
    """Write the report to a file, where one is named, and print it as JSON or as tables."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
    if output:
        with write_whole(Path(output)) as file:
            file.write(f"{text}\n".encode())
    if as_json:
        click.echo(text)
    else:
        show(report)
