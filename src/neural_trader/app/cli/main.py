"""The ``neural-trader`` command: finds the subcommand, and turns errors into exit codes.

Nothing but click is imported before a command runs, and a command is imported only when it is
called: ``--help`` must be instant.
"""

import gc
import io
import os
import sys
from importlib import import_module
from typing import Final

import click

from neural_trader.core.errors import (
    BenchError,
    ConfigError,
    DataError,
    GatewayError,
    JournalError,
    NeuralTraderError,
    RunRefused,
    SawTheFuture,
    StrategyError,
)
from neural_trader.core.version import VERSION

EXIT_CODES: Final = {
    ConfigError: 2,
    DataError: 3,
    RunRefused: 4,
    BenchError: 6,
    StrategyError: 7,
    SawTheFuture: 8,
    JournalError: 9,
    GatewayError: 10,
}
"""What a shell sees for each kind of error.

0 is success, 1 a bug of ours, 5 an incomplete installation, 130 an interrupt.
"""

_COMMANDS: Final = {
    "backtest": ("neural_trader.app.cli.backtest", "Run a strategy over history."),
    "sweep": ("neural_trader.app.cli.sweep", "Run a strategy with many parameters."),
    "paper": ("neural_trader.app.cli.paper", "Paper trade a strategy on a feed."),
    "check": ("neural_trader.app.cli.check", "Check a strategy of your own."),
    "portfolio": ("neural_trader.app.cli.portfolio", "Measure returns, choose weights."),
    "risk": ("neural_trader.app.cli.risk", "Measure what positions can lose."),
    "neural": ("neural_trader.app.cli.neural", "Train forecasts, judge them, and use them."),
    "bench": ("neural_trader.app.cli.bench", "Measure this installation on this machine."),
    "serve": ("neural_trader.app.cli.serve", "Run the order gateway."),
    "venue": ("neural_trader.app.cli.venue", "Run a venue that fills orders without money."),
    "order": ("neural_trader.app.cli.order", "Send, change, cancel and list orders."),
    "positions": ("neural_trader.app.cli.positions", "Show what an account holds."),
    "kill-switch": ("neural_trader.app.cli.kill_switch", "Stop an account."),
    "token": ("neural_trader.app.cli.token", "Make keys to a gateway."),
    "journal": ("neural_trader.app.cli.journal", "Look into a gateway's journal."),
    "new": ("neural_trader.app.cli.new", "Write a file to start from."),
    "market-data": ("neural_trader.app.cli.market_data", "Fetch and keep market data."),
    "data": ("neural_trader.app.cli.data", "Look at the data that are at hand."),
}


class _LazyGroup(click.Group):
    """A group that imports a command when it is called, and suggests the nearest for a typo."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), cmd_name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1, cutoff=0.3)
            hint = f"did you mean {near[0]!r}? " if near else ""
            message = f"no command {args[0]!r}: {hint}There are {', '.join(_COMMANDS)}"
            raise click.UsageError(message, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        # Not the inherited way: it would import every command for one line of its help.
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 a bug of ours, 2 wrong usage, 3 data missing or wrong, 4 the run "
    "broke a limit, 5 the installation is incomplete, 6 a measurement could not be trusted, 7 the "
    "strategy's own code failed, 8 the strategy saw the future, 9 a journal is damaged or "
    "cannot be written, 10 a gateway refused or is out of reach, 130 interrupted.",
)
@click.version_option(VERSION, prog_name="neural-trader", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Research, backtest and trade: exact, fast and honest."""


def main() -> None:
    """Run the command line; errors become one line on stderr and a documented exit code."""
    # One thread: nothing here is large enough for more, and starting them takes 60 ms.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Imports make many objects and no garbage: looking for it 70 times costs 5 % of a start.
    gc.set_threshold(50_000)
    # A terminal without a letter for a symbol still gets its result.
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments[:1]
    try:
        outcome = cli.main(arguments, prog_name="neural-trader", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        click.echo(f"error: {_one_line(error)}", err=True)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130
    except (BrokenPipeError, SystemExit):
        # The reader has gone, as `head` does: not an error, and nothing more can be written. Click
        # and rich leave by SystemExit then; nothing else in a command does.
        _drop_output()
        return 0
    except Exception as error:
        if debug:
            raise
        message, code = _explain(error)
        if isinstance(error, OSError):
            _drop_output()
        click.echo(message, err=True)
        return code
    # Outside standalone mode click returns the code of --help and --version, or what a command did.
    return outcome if isinstance(outcome, int) else 0


def _explain(error: Exception) -> tuple[str, int]:
    """Return the line for an error of a command, and its exit code."""
    if isinstance(error, NeuralTraderError):
        codes = (code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
        return f"error: {error}", next(codes, 1)
    if isinstance(error, OSError):
        where = error.filename or "a file or the output"
        reason = error.strerror or str(error)
        return f"error: cannot read or write {where}: {reason}", EXIT_CODES[DataError]
    if type(error).__name__ == "KernelsMissing":
        return f"error: {error}", 5
    return (
        f"internal error: {type(error).__name__}: {error}. This is a bug in neural-trader; "
        "please report it with the output of: neural-trader --debug ...",
        1,
    )


def _one_line(error: click.ClickException) -> str:
    """Return what click has to say as one line, with the command whose help lists the options."""
    said = " ".join(error.format_message().split()).rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return said
    return f"{said}{'' if said.endswith('?') else '.'} See {context.command_path} --help"


def _drop_output() -> None:
    """Send what is still to be written to nowhere, or Python's own last flush would fail."""
    if sys.stdout is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
