"""``neural-trader bench tuning``: every setting against what the product does by itself."""

from pathlib import Path

import click


@click.command("tuning", short_help="Try every setting, and say which helps.")
@click.option("--case", "names", multiple=True, metavar="NAME", help="Only this case; repeatable.")
@click.option("--rounds", type=click.IntRange(1, 100), default=7, show_default=True, help="Rounds.")
@click.option(
    "--realtime",
    is_flag=True,
    help="SCHED_FIFO too, with a watchdog: it can take a core from all else.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Write the journals here: the disk that is measured.  [default: temporary files]",
)
@click.option("--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_tuning(  # noqa: PLR0917 - one parameter an option
    names: tuple[str, ...],
    rounds: int,
    realtime: bool,
    folder: Path | None,
    output: str | None,
    as_json: bool,
) -> None:
    """Try every setting beside what the product does by itself, in the same minutes.

    Exit code 6 where orders went astray or an answer depends on a setting.
    """
    # The group itself imports this module.
    from neural_trader.app.cli.bench import check_output, show_report, spinner
    from neural_trader.bench.tuning import run_tuning_suite
    from neural_trader.bench.tuning_cases import choose_tuning_cases
    from neural_trader.bench.tuning_table import print_tuning_report

    cases = choose_tuning_cases(names, realtime=realtime)
    check_output(output)
    with spinner() as step:
        report = run_tuning_suite(cases, rounds=rounds, folder=folder, step=step)
    show_report(report, output, print_tuning_report, as_json=as_json)
