"""One case of the portfolio's bench in a fresh process: ``python -m ... ENGINE CASE``."""

import json
import sys

from neural_trader.bench.portfolio_cases import describe


def main() -> None:
    """Run the case named on the command line and print what was measured."""
    engine, name = sys.argv[1:]
    sys.stdout.write(json.dumps(describe(engine, name)))


if __name__ == "__main__":
    main()
