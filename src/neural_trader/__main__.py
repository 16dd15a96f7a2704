"""``python -m neural_trader`` is the ``neural-trader`` command."""

from neural_trader.app.cli.main import main

main()
