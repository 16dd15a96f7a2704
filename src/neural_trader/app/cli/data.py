"""``neural-trader data``: the data that are at hand."""

import json
from typing import TYPE_CHECKING

import click

from neural_trader.data import samples

if TYPE_CHECKING:
    from neural_trader.data import Sample


@click.group()
def data() -> None:
    """Look at the data that are at hand."""


@data.command("samples", short_help="List the bundled samples.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def list_samples(as_json: bool) -> None:
    """List the bundled samples: what they hold, where they come from, under which licence."""
    found = samples()
    if as_json:
        click.echo(json.dumps([_plain(sample) for sample in found], indent=2))
        return
    click.echo("\n\n".join(_text(sample) for sample in found))


def _plain(sample: "Sample") -> dict[str, object]:
    """Return a sample as JSON can hold it."""
    return sample._asdict() | {"splits": [_split(sample, row) for row in range(len(sample.splits))]}


def _split(sample: "Sample", row: int) -> dict[str, object]:
    split = sample.splits[row]
    return {"symbol": split.symbol, "date": str(split.date), "ratio": split.ratio}


def _text(sample: "Sample") -> str:
    """Return a sample as a paragraph."""
    rows = [
        ("symbols", ", ".join(sample.symbols)),
        ("bars", f"{sample.bars:,} from {sample.start} to {sample.end}"),
        ("fields", ", ".join(sample.fields)),
        ("basis", ", ".join((sample.basis, *sample.labels))),
        ("splits", ", ".join(f"{s.symbol} {s.ratio:g}:1 on {s.date}" for s in sample.splits)),
        ("licence", sample.license),
        ("source", sample.source),
        ("size", f"{sample.bytes / 1000:,.0f} kB"),
    ]
    lines = [f"{sample.name}: {sample.title}"]
    lines += [f"  {name:<8} {value}" for name, value in rows if value]
    return "\n".join(lines)
