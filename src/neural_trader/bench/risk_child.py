"""One case of the risk bench in a fresh process: ``python -m ... NAME`` prints JSON."""

import json
import sys

from neural_trader.bench.risk_cases import RISK_CASES


def main() -> None:
    """Run the case named on the command line and print what it measured."""
    found = RISK_CASES[sys.argv[1]]()
    sys.stdout.write(json.dumps([measured._asdict() for measured in found]))


if __name__ == "__main__":
    main()
