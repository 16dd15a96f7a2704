"""``neural-trader bench compare``, ``gate`` and ``trend``: reports beside each other."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neural_trader.core import ConfigError
from neural_trader.core.files import write_whole

if TYPE_CHECKING:
    from neural_trader.bench import Report
    from neural_trader.bench.compare import Comparison

_FILE = click.Path(path_type=Path, dir_okay=False)
_REGRESSION = 6


@click.command("compare", short_help="Say what is faster or slower in another report.")
@click.argument("a", type=_FILE)
@click.argument("b", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_compare(a: Path, b: Path, *, as_json: bool) -> None:
    """Compare two reports of one machine, A the older: ratios with intervals, and a verdict.

    Exit code 2 where machine, data or settings differ: such reports cannot be compared.
    """
    from neural_trader.bench.compare import compare, read_report
    from neural_trader.bench.compare_table import print_comparison

    reports = read_report(a), read_report(b)
    found = compare(*reports)
    if as_json:
        click.echo(json.dumps(_object(found, reports, (str(a), str(b))), indent=2))
        return
    print_comparison(found, reports)


@click.command("gate", short_help="Fail on a regression beyond noise.")
@click.option("--baseline", type=_FILE, required=True, help="Report to be no slower than.")
@click.option("--report", "other", type=_FILE, help="Report to judge.  [default: measure now]")
@click.option(
    "--margin",
    type=click.FloatRange(1.0, 100.0),
    default=1.25,
    show_default=True,
    help="Times as slow as a row may be: the lower end of its ratio's interval counts.",
)
@click.option(
    "--rounds", type=click.IntRange(3, 100), default=5, show_default=True, help="When measuring."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_context
def bench_gate(
    ctx: click.Context,
    *,
    baseline: Path,
    other: Path | None,
    margin: float,
    rounds: int,
    as_json: bool,
) -> None:
    """Fail where a row is slower than in the baseline, beyond noise and margin.

    Exit code 6 on a regression, or where no row could be judged; 2 where the reports cannot be
    compared.
    """
    from neural_trader.bench.compare import check_judged, compare, read_report
    from neural_trader.bench.compare_table import print_gate

    old = read_report(baseline)
    new = read_report(other) if other else _measure(old, rounds)
    found = compare(old, new)
    check_judged(found)
    slower = found.regressions(margin)
    if as_json:
        told = _object(found, (old, new), (str(baseline), str(other) if other else None))
        told |= {
            "margin": margin,
            "passed": not slower,
            "regressions": [one._asdict() for one in slower],
        }
        click.echo(json.dumps(told, indent=2))
    else:
        print_gate(found, (old, new), margin)
    if slower:
        ctx.exit(_REGRESSION)


@click.command("trend", short_help="Keep reports, and draw the history of every row.")
@click.option(
    "--history",
    type=_FILE,
    default=Path("out/bench-history.jsonl"),
    show_default=True,
    help="JSON lines, one a report; lines are only ever added.",
)
@click.option("--add", "added", type=_FILE, multiple=True, help="Add this report; repeatable.")
@click.option("--output", type=_FILE, help="Write the page to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def bench_trend(
    history: Path, added: tuple[Path, ...], output: Path | None, *, as_json: bool
) -> None:
    """Add reports to the history of the bench, and draw every row's history on one page."""
    from neural_trader.bench.compare import read_report
    from neural_trader.bench.history import add_entry, make_entry, read_history
    from neural_trader.bench.trend_page import render_trend

    # All are read before one is added: a bad one leaves the history as it was.
    made = [make_entry(read_report(path)) for path in added]
    if output and not output.absolute().parent.is_dir():
        message = f"--output is {str(output)!r}; its folder does not exist"
        raise ConfigError(message)
    if history.is_file():
        read_history(history)
    for entry in made:
        add_entry(history, entry)
    entries, notes = read_history(history)
    if output:
        with write_whole(output) as file:
            file.write(render_trend(entries, notes).encode())
    rows = len({row.key for entry in entries for row in entry.rows})
    told: dict[str, Any] = {
        "history": str(history),
        "entries": len(entries),
        "added": len(made),
        "rows": rows,
        "notes": notes,
        "output": str(output) if output else None,
    }
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    for note in notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{history}: {len(entries):,} entries ({len(made)} added), {rows:,} rows")
    if output:
        click.echo(f"page: {output}")


def _measure(baseline: "Report", rounds: int) -> "Report":
    """Measure what the baseline has, and show on a terminal what is being measured."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from neural_trader.bench.measure_again import measure_like

    columns = (SpinnerColumn(), TextColumn("{task.description:<48}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        return measure_like(
            baseline, rounds=rounds, step=lambda name: progress.update(task, description=name)
        )


def _object(
    found: "Comparison", reports: "tuple[Report, Report]", paths: tuple[str | None, str | None]
) -> dict[str, Any]:
    """Return a comparison as JSON has it."""
    told: dict[str, Any] = {
        name: {
            "path": path,
            "commit": report.provenance.get("commit"),
            "version": report.provenance.get("version"),
            "measured_at": report.provenance.get("measured_at"),
        }
        for name, report, path in zip("ab", reports, paths, strict=True)
    }
    counts: dict[str, int] = {}
    for one in found.changes:
        counts[one.verdict] = counts.get(one.verdict, 0) + 1
    return told | {
        "machine": reports[1].machine,
        "rows": [one._asdict() for one in found.changes],
        "only_a": found.only_a,
        "only_b": found.only_b,
        "counts": counts,
    }
