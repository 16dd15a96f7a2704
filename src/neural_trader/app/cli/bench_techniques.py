"""``neural-trader bench techniques``: the same work with a technique and without it."""

import click


@click.command("techniques", short_help="Time the same work with a technique and without it.")
@click.option("--case", "names", multiple=True, metavar="NAME", help="Only this one; repeatable.")
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Rounds.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_techniques(
    names: tuple[str, ...], rounds: int, *, output: str | None, as_json: bool
) -> None:
    """Time zero copies, concurrent fetching, compiled code, vectors, caches and pools as A/B.

    Exit code 6 where the two answers differ.
    """
    # The group itself imports this module.
    from neural_trader.app.cli.bench import check_output, show_report, spinner
    from neural_trader.bench.techniques import (
        choose_techniques,
        print_techniques_report,
        run_techniques_suite,
    )

    techniques = choose_techniques(names)
    check_output(output)
    with spinner() as step:
        report = run_techniques_suite(techniques, rounds=rounds, step=step)
    show_report(report, output, print_techniques_report, as_json=as_json)
