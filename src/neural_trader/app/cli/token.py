"""``neural-trader token``: keys to a gateway."""

import json
import os

import click


@click.group()
def token() -> None:
    """Make keys to a gateway."""


@token.command("new", short_help="Make a token, and the lines that let it in.")
@click.option("--account", default="main", show_default=True, help="The account that it opens.")
@click.option(
    "--scope",
    type=click.Choice(["trade", "read"]),
    default="trade",
    show_default=True,
    help="read sees orders, fills and positions, and changes nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def new(account: str, scope: str, as_json: bool) -> None:
    """Make a token of 256 random bits, and the lines of gateway.toml that let it in.

    The token itself is shown this once; the gateway keeps its SHA-256 alone.
    """
    secret, lines = make_token(account, scope)
    if as_json:
        digest = lines.rsplit('"', 2)[1]
        shown = {"token": secret, "account": account, "scope": scope, "sha256": digest}
        click.echo(json.dumps(shown, indent=2))
        return
    click.echo(f"token (keep it; it is not shown again): {secret}\n\nfor gateway.toml:\n\n{lines}")


def make_token(account: str, scope: str) -> tuple[str, str]:
    """Return a token and its section of ``gateway.toml``."""
    from neural_trader.execution import TOKEN_BYTES, hash_token

    secret = os.urandom(TOKEN_BYTES).hex()
    section = (
        f'[[tokens]]\naccount = "{account}"\nscope = "{scope}"\nsha256 = "{hash_token(secret)}"\n'
    )
    return secret, section
