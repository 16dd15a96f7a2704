"""``neural-trader journal``: look into a gateway's journal, check it, and turn it into tables."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from neural_trader.execution.journal import Tail, describe, verify
from neural_trader.execution.journal.exporting import Format
from neural_trader.execution.journal.exporting import export as write_export
from neural_trader.execution.journal.projection import Projector

_POLL_S: Final = 0.1
_QUIET_S: Final = 2.0
_folder = click.argument("folder", type=click.Path(path_type=Path))
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.group()
def journal() -> None:
    """Look into a gateway's journal; a gateway may be writing to it meanwhile."""


@journal.command("show", short_help="Print records.")
@_folder
@click.option(
    "--from", "first", type=click.IntRange(1), default=1, show_default=True, help="First record."
)
@click.option("--to", "last", type=click.IntRange(1), help="Last record.")
@click.option("--account", type=int, help="Only records of this account.")
@click.option("--limit", type=click.IntRange(1), help="At most so many records.")
@click.option("--follow", is_flag=True, help="Go on as records are written, until Ctrl-C.")
@_as_json
def show(  # noqa: PLR0917 - one parameter an option
    folder: Path,
    first: int,
    last: int | None,
    account: int | None,
    limit: int | None,
    follow: bool,
    as_json: bool,
) -> None:
    """Print the records of the journal in FOLDER, one a line."""
    left = limit
    for seq, payload in _records(folder, first, follow=follow):
        if last is not None and seq > last:
            return
        row = describe(seq, payload)
        if account is not None and row.get("account") != account:
            continue
        click.echo(json.dumps(row, separators=(",", ":")) if as_json else _line(row))
        if left is not None:
            left -= 1
            if not left:
                return


@journal.command("verify", short_help="Check every byte.")
@_folder
@_as_json
def verify_journal(folder: Path, as_json: bool) -> None:
    """Check every byte of the journal in FOLDER. Exit code 9 if it is damaged."""
    with _progress("bytes") as progress:
        found = verify(folder, progress)
    if as_json:
        click.echo(json.dumps({"folder": str(folder), **found._asdict()}, indent=2))
        return
    rows = found._asdict().items()
    click.echo("\n".join(f"{name.replace('_', ' '):<12}{value:,}" for name, value in rows))


@journal.command("export", short_help="Write JSON lines or a Parquet table.")
@_folder
@click.option(
    "--format",
    "layout",
    type=click.Choice(("jsonl", "parquet")),
    required=True,
    help="JSON lines, or one Parquet table.",
)
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.option("--force", is_flag=True, help="Replace the file if it is there already.")
@_as_json
def export(  # noqa: PLR0917 - one parameter an option
    folder: Path, layout: Format, output: Path, force: bool, as_json: bool
) -> None:
    """Write the records of the journal in FOLDER to a file for other tools."""
    with _progress("records") as progress:
        records = write_export(
            folder, output, layout, is_replaced=force, progress=lambda done: progress(done, None)
        )
    if as_json:
        answer = {"records": records, "format": layout, "output": str(output)}
        click.echo(json.dumps(answer, indent=2))
        return
    click.echo(f"records  {records:,}\noutput   {output}")


@journal.command("compact", short_help="Put a checkpoint in the place of old records.")
@_folder
@click.option(
    "--keep", type=click.IntRange(1), required=True, help="Segments that stay, with the last."
)
@_as_json
def compact_journal(folder: Path, keep: int, as_json: bool) -> None:
    """Keep the last segments of the journal in FOLDER, and a checkpoint for what came before.

    A gateway may be running. The records that go are gone: export them first if they are wanted.
    """
    from neural_trader.execution import compact

    with _progress("records") as progress:
        found = compact(folder, keep, progress)
    if as_json:
        click.echo(json.dumps({"folder": str(folder), **found._asdict()}, indent=2))
        return
    rows = found._asdict().items()
    click.echo("\n".join(f"{name.replace('_', ' '):<14}{value:,}" for name, value in rows))


@journal.command("project", short_help="Keep an SQLite file up to date.")
@_folder
@click.option(
    "--to", "path", type=click.Path(path_type=Path), required=True, help="The SQLite file."
)
@click.option("--follow", is_flag=True, help="Go on as records are written, until Ctrl-C.")
@_as_json
def project(folder: Path, path: Path, follow: bool, as_json: bool) -> None:
    """Bring an SQLite file up to date with the journal in FOLDER, from where it was left."""
    with Projector(folder, path) as projector:
        done = 0
        with _progress("records") as progress:
            while True:
                done += projector.catch_up(lambda last: progress(last, None))
                if not projector.check_end():
                    break
        answer = {"records": done, "last_seq": projector.last_seq, "to": str(path)}
        if as_json:
            click.echo(json.dumps(answer, separators=(",", ":")))
        else:
            click.echo(f"records   {done:,}\nlast seq  {projector.last_seq:,}\nto        {path}")
        if follow:
            sys.stdout.flush()
            while True:
                if not projector.catch_up():
                    time.sleep(_POLL_S)


def _records(folder: Path, first: int, *, follow: bool) -> Iterator[tuple[int, bytes]]:
    """Yield records up to the end, and as they are written where that is wanted."""
    with Tail(folder, first) as tail:
        is_checked = False
        while True:
            if found := tail.read():
                yield from found
            elif not is_checked:
                # Once is enough: behind the end of a journal that is being written stand zeros.
                is_checked = not tail.check_end()
            elif not follow:
                return
            else:
                sys.stdout.flush()
                time.sleep(_POLL_S)


def _line(row: dict[str, Any]) -> str:
    """Return a record as a line of text."""
    seconds, nanoseconds = divmod(row["ts"], 1_000_000_000)
    when = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    rest = {name: value for name, value in row.items() if name not in {"seq", "type", "ts"}}
    fields = " ".join(f"{name}={_text(value)}" for name, value in rest.items())
    return f"{row['seq']} {when}.{nanoseconds:09d}Z {row['type']} {fields}"


def _text(value: object) -> str:
    """Return a value so that a line can be taken apart at its spaces."""
    if isinstance(value, str) and value and not any(c.isspace() or c in '"=' for c in value):
        return value
    return json.dumps(value, separators=(",", ":"))


@contextmanager
def _progress(unit: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show how far it is, on a terminal, once it has taken two seconds."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    began = time.monotonic()
    bars: list[Any] = []

    def show_bar(done: int, total: int | None) -> None:
        if not bars:
            if time.monotonic() - began < _QUIET_S:
                return
            bars.append(_bar(unit))
            bars[0].start()
        bars[0].update(bars[0].task_ids[0], completed=done, total=total)

    try:
        yield show_bar
    finally:
        if bars:
            bars[0].stop()


def _bar(unit: str) -> Any:  # noqa: ANN401 - rich is imported here alone
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    columns = (unit, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task(unit, total=None)
    return bar
