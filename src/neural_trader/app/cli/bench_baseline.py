"""``neural-trader bench baseline``: ours beside what a competent user would write today."""

import click


@click.command("baseline", short_help="Time ours beside pandas, scipy, PyTorch and asyncio.")
@click.argument("cases", nargs=-1, metavar="[CASE]...")
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Rounds.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_baseline(
    cases: tuple[str, ...], rounds: int, *, output: str | None, as_json: bool
) -> None:
    """Time the programs of the baseline and ours in the same rounds, answers checked first.

    Exit code 6 where the answers are not equal.
    """
    # The group itself imports this module.
    from neural_trader.app.cli.bench import check_output, show_report, spinner
    from neural_trader.bench.baseline.suite import (
        choose_baseline_cases,
        print_baseline_report,
        run_baseline_suite,
    )

    names = choose_baseline_cases(cases)
    check_output(output)
    with spinner() as step:
        report = run_baseline_suite(names, rounds=rounds, step=step)
    show_report(report, output, print_baseline_report, as_json=as_json)
