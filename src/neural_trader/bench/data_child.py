"""One part of a case of the data bench in a fresh process: ``ENGINE CASE PART FOLDER``."""

import json
import sys
from pathlib import Path

from neural_trader.bench.data_cases import find_data_case


def main() -> None:
    """Run what is named on the command line and print what was measured."""
    engine, name, part, folder = sys.argv[1:]
    try:
        figures, answer = find_data_case(name).engines[engine](Path(folder), part)
    except ImportError as error:
        sys.stdout.write(json.dumps({"reason": f"not installed: pip install {error.name}"}))
        return
    found = {"figures": [figure._asdict() for figure in figures], "answer": answer}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
