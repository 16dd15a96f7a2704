"""``neural-trader bench`` alone, its sections, and ``bench report``: the whole performance page."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from neural_trader.core.errors import ConfigError
from neural_trader.core.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neural_trader.bench import Report, Row

_SECTIONS: Final = {
    "latency": "Time an order from submission to fill, one at a time.",
    "throughput": "Count orders a second, 1, 4 and 8 on their way.",
    "load": "Time orders at 100 to 5,000 a second.",
    "signals": "Time the signals of a pair alone.",
    "startup": "Time a whole process that prints its help.",
    "memory": "Measure memory by component and by size of portfolio.",
    "scaling": "Time backtests on 1 to 16 workers.",
    "production": "Measure the gateway at a steady load.",
}
"""The sections of the page that no other subcommand measures."""


class PageGroup(click.Group):
    """The group ``bench``: without a subcommand it measures the page."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand, or name all that there are."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            names = ", ".join(self.list_commands(ctx))
            message = f"bench has no case {args[0]!r}; expected one of {names}"
            raise click.UsageError(message, ctx)
        return super().resolve_command(ctx, args)


def measure_page(ctx: click.Context, **options: Any) -> None:  # noqa: ANN401 - the group's options
    """Measure the page, unless a subcommand was named; its options stand behind it then."""
    if ctx.invoked_subcommand is None:
        _measure((), **options)
        return
    source = click.core.ParameterSource.COMMANDLINE
    for name in options:
        if ctx.get_parameter_source(name) is source:
            option = "json" if name == "as_json" else name.removeprefix("is_").removeprefix("with_")
            message = f"--{option} stands before {ctx.invoked_subcommand}; put it behind"
            raise ConfigError(message)


def add_page_commands(group: click.Group) -> None:
    """Add a subcommand for each section of the page, and the report."""
    for name, words in _SECTIONS.items():
        group.add_command(_section_command(name, words))
    group.add_command(bench_report)


def page_options(command: "Callable[..., Any]") -> "Callable[..., Any]":
    """Give a command the options of the page."""
    options = (
        click.option("--full", "is_full", is_flag=True, help="All orders, more rounds: minutes."),
        click.option(
            "--rounds",
            type=click.IntRange(1, 100),
            help="Rounds.  [default: 2, with --full 7]",
        ),
        click.option(
            "--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _section_command(name: str, words: str) -> click.Command:
    def run(**options: Any) -> None:  # noqa: ANN401 - those of the page
        _measure((name,), **options)

    run.__doc__ = (
        f"{words}\n\nOne section of the page that `neural-trader bench` measures. Exit code 6 "
        "where an answer is wrong; 130 where it was interrupted, with the rounds that were "
        "complete."
    )
    return click.command(name, short_help=words)(page_options(run))


def _measure(
    sections: tuple[str, ...],
    *,
    is_full: bool,
    rounds: int | None,
    output: str | None,
    as_json: bool,
    with_peers: bool = False,
) -> None:
    """Measure, write and print."""
    from neural_trader.bench.page_table import print_page

    _check_folder(output)
    report, interrupted = _run(sections, is_full=is_full, rounds=rounds)
    others = [] if interrupted or not with_peers else _run_peers(rounds)
    report.rows.extend(others)
    text = _as_json(report)
    if output:
        with write_whole(Path(output)) as file:
            file.write(f"{text}\n".encode())
    if as_json:
        click.echo(text)
    else:
        print_page(report)
        if others:
            from neural_trader.bench.page_peers import print_peers

            print_peers(others)
    _end(report, interrupted=interrupted)


def _run_peers(rounds: int | None) -> "list[Row]":
    """Measure the other engines that are installed, with a spinner."""
    from neural_trader.app.cli.bench import spinner
    from neural_trader.bench.page_peers import measure_peers
    from neural_trader.bench.page_suite import QUICK_ROUNDS

    with spinner() as step:
        return measure_peers(rounds=rounds or QUICK_ROUNDS, step=step)


def _run(sections: tuple[str, ...], *, is_full: bool, rounds: int | None) -> "tuple[Report, bool]":
    from neural_trader.bench.page_suite import (
        FULL_ROUNDS,
        QUICK_ROUNDS,
        choose_page,
        page_steps_of,
        run_page,
    )

    count = rounds or (FULL_ROUNDS if is_full else QUICK_ROUNDS)
    steps = page_steps_of(choose_page(sections), rounds=count, is_full=is_full)
    with _progress(steps) as (step, done):
        return run_page(sections, rounds=count, is_full=is_full, step=step, done=done)


@contextmanager
def _progress(total: int) -> "Iterator[tuple[Callable[[str], None], Callable[[], None]]]":
    """Show how far it is, what is being measured, and for how long."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<44}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)
        yield (
            lambda name: progress.update(task, description=name),
            lambda: progress.advance(task),
        )


def _as_json(report: "Report") -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def _end(report: "Report", *, interrupted: bool) -> None:
    if interrupted:
        click.echo(f"interrupted after {report.provenance['config']['rounds']} rounds", err=True)
        click.get_current_context().exit(130)


def _check_folder(output: str | None) -> None:
    """Refuse a place whose folder does not exist, before minutes are spent on measuring."""
    if output and not Path(output).absolute().parent.is_dir():
        message = f"--output is {output!r}; its folder does not exist"
        raise ConfigError(message)


@click.command("report", short_help="Write the whole page as Markdown and HTML.")
@click.option(
    "--input",
    "source",
    type=click.Path(dir_okay=False),
    help="A report that `neural-trader bench --output` wrote; else the page is measured first.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False),
    default=".",
    show_default=True,
    help="The folder to write performance.md and performance.html into; made where it is missing.",
)
@click.option("--full", "is_full", is_flag=True, help="Measure all orders, more rounds.")
@click.option("--rounds", type=click.IntRange(1, 100), help="Rounds, where it measures.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def bench_report(
    *, source: str | None, output: str, is_full: bool, rounds: int | None, as_json: bool
) -> None:
    """Write every row of the performance page, claim beside what was measured.

    Markdown for the docs, and one HTML file that opens offline. A row that was not measured says
    why.
    """
    from neural_trader.bench.page_view import read_page, show_page
    from neural_trader.reports import write_performance

    if source is not None and (is_full or rounds is not None):
        message = "--full and --rounds say how to measure; --input is measured already: leave one"
        raise ConfigError(message)
    _check_folder(output)
    interrupted = False
    if source is None:
        report, interrupted = _run((), is_full=is_full, rounds=rounds)
    else:
        report = read_page(Path(source))
    page = show_page(report)
    paths = write_performance(page, Path(output))
    told = {"markdown": str(paths[0]), "html": str(paths[1])} | page["counts"]
    if as_json:
        import json

        click.echo(json.dumps(told, indent=2))
    else:
        for path in paths:
            click.echo(f"wrote {path}")
        click.echo(
            f"{told['rows']} rows, {told['measured']} measured: {told['ahead']} ahead of the "
            f"claim, {told['behind']} behind"
        )
    _end(report, interrupted=interrupted)
