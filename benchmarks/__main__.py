"""All measurements, one after the other.

    python -m benchmarks [--rounds N] [--seconds S] [--json FILE] [--plot FILE]

It takes about three minutes; see README.md beside this file for what is installed first.
"""

import argparse
import json
from pathlib import Path

from benchmarks import compiled, eager
from benchmarks.timing import one_core


def main() -> None:
    """Measure, print, and write the figures and the picture to files if these are named."""
    parser = argparse.ArgumentParser(
        description="Measure the eager engine and compiled programs beside peers."
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of the eager engines (default: 5)")
    compiled.add_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    one_core()
    console = compiled.wide_console()
    results = {"eager": eager.measure(arguments.rounds, console)}
    eager.report(results["eager"], console)
    results["compiled"] = compiled.measure(arguments.seconds, console)
    compiled.report(results["compiled"], console)
    if arguments.plot:
        compiled.plot(results["compiled"], arguments.plot)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
