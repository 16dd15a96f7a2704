"""``neural-trader neural``: forecasts that are judged before they are trusted.

A command is imported when it is called: forecasting must not pay for training.
"""

from importlib import import_module
from typing import Final

import click

# Command -> its module, the name of its function there, and a line for the list.
_COMMANDS: Final = {
    "train": ("neural_training", "train", "Train a network, and judge it."),
    "evaluate": ("neural_training", "evaluate", "Judge a network on bars it has not seen."),
    "card": ("neural_training", "card", "Show the evaluation card of a network."),
    "forecast": ("neural_serving", "forecast", "Forecast the next bars of a series."),
    "export": ("neural_serving", "export", "Write a network as an ONNX file."),
    "import": ("neural_serving", "import_", "Import a network that neuralforecast trained."),
}


class _LazyGroup(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        found = import_module(f"neural_trader.app.cli.{module}")
        command: click.Command = getattr(found, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in _COMMANDS.items()])


@click.group(cls=_LazyGroup)
def neural() -> None:
    """Train forecasts, judge them, and use them."""
