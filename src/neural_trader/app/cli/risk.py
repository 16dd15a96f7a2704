"""``neural-trader risk``: what positions can lose."""

import json
from typing import Any, Final

import click

from neural_trader.app.cli import risk_options

_DAYS: Final = 1_000


@click.group()
def risk() -> None:
    """Measure what positions can lose."""


@risk.command(short_help="Value at risk and expected shortfall.")
@risk_options.situation
@risk_options.method
@risk_options.horizon
@risk_options.settings
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def var(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Compute value at risk and expected shortfall, with their errors and components."""
    from neural_trader.risk import measure_risk

    config = risk_options.read_config(options)
    found = measure_risk(risk_options.read(options), config)
    if options["as_json"]:
        click.echo(json.dumps(found.to_dict(), indent=2))
        return
    from neural_trader.reports import print_risk

    print_risk(found)


@risk.command(short_help="Losses in crises, shocks and scenarios of your own.")
@risk_options.situation
@risk_options.stress
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def stress(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Compute what today's positions would lose in scenarios; docs/risk.md has the TOML file."""
    from neural_trader.risk import stress as run

    situation = risk_options.read(options, with_market=True)
    found = run(situation, risk_options.read_plan(options, situation))
    if options["as_json"]:
        click.echo(json.dumps(found.to_dict(), indent=2))
        return
    from neural_trader.reports import print_stress

    print_stress(found)


@risk.command(short_help="Test a risk model day by day.")
@risk_options.situation
@risk_options.method
@risk_options.settings
@click.option("--start", metavar="DATE", help="First day that is tested.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def backtest(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Estimate value at risk for every day from the --window days before it, and test it."""
    from neural_trader.risk import backtest_risk

    config = risk_options.read_config(options)
    situation = risk_options.read(options | {"window": None})
    given = {} if options["window"] is None else {"window": options["window"]}
    with risk_options.progress() as on_day:
        found = backtest_risk(situation, config, start=options["start"], on_day=on_day, **given)
    if options["as_json"]:
        click.echo(json.dumps(found.to_dict(), indent=2))
        return
    from neural_trader.reports import print_risk_backtest

    print_risk_backtest(found)


@risk.command(short_help="Write an HTML report.")
@risk_options.situation
@risk_options.method
@risk_options.horizon
@risk_options.settings
@risk_options.stress
@click.option("--output", required=True, type=click.Path(), help="The HTML file.")
@click.option(
    "--days", type=int, default=_DAYS, show_default=True, help="Days of the model's backtest."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def report(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Write one HTML file: losses, contributions, stress, and the model over time."""
    from neural_trader.app.cli.run_options import check_paths
    from neural_trader.reports import risk_report

    check_paths({"--portfolio": options["portfolio"], "--output": options["output"]})
    config = risk_options.read_config(options)
    situation = risk_options.read(options, with_market=True)
    plan = risk_options.read_plan(options, situation)
    with risk_options.progress() as on_day:
        path = risk_report(
            situation, options["output"], config=config, plan=plan, days=options["days"],
            on_day=on_day,
        )  # fmt: skip
    click.echo(json.dumps({"report": str(path)}) if options["as_json"] else f"report  {path}")


@risk.command(short_help="Print the JSON Schema of a portfolio file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, which a schema is anyway.")
def schema(as_json: bool) -> None:  # noqa: ARG001 - every command takes it
    """Print the JSON Schema of a portfolio file."""
    from neural_trader.risk import portfolio_schema

    click.echo(json.dumps(portfolio_schema(), indent=2))
