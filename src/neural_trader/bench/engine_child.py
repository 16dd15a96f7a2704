"""One case of the engine's bench in a fresh process: ``python -m ... NAME`` prints JSON."""

import json
import sys

from neural_trader.bench.engine_cases import ENGINE_CASES


def main() -> None:
    """Run the case named on the command line and print its figures."""
    case = next(case for case in ENGINE_CASES if case.name == sys.argv[1])
    figures = [
        figure._asdict() | {"words": case.words, "target": case.targets.get(figure.quantity)}
        for figure in case.run()
    ]
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main()
