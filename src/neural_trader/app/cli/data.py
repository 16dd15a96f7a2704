"""``neural-trader data``: the data that are at hand."""

import json

import click

from neural_trader.data import samples


@click.group()
def data() -> None:
    """Look at the data that are at hand."""


@data.command("samples")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_samples(as_json: bool) -> None:
    """List the bundled samples: what they hold, where they come from, under which licence."""
    found = samples()
    if as_json:
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(found), indent=2))
        return
    for sample in found:
        click.echo(sample)
