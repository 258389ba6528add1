"""Compares two methods over seeds: means, standard deviations, best, and whether the difference is more than chance.

  python -m glacierjax.compare --baseline=OUT_A1,OUT_A2,OUT_A3 --method=OUT_B1,OUT_B2,OUT_B3
  python -m glacierjax.compare --baseline=a/metrics.json,b/metrics.json --method=c,d --output=COMPARISON
  python -m glacierjax.compare --method=OUT1,OUT2 --paper              (with the published numbers)

Each item is a metrics.json, or the folder of an evaluation that holds one. The tables are printed; with --output they are
also written to compare.md, and every number to compare.json. All items must have the same scenes and protocol.
"""

import sys
from pathlib import Path

from absl import flags

from glacierjax.core import cli

BASELINE = flags.DEFINE_list("baseline", [], "Evaluations of the method to compare with, one for each seed.")
METHOD = flags.DEFINE_list("method", [], "Evaluations of the method that may be better, one for each seed.")
PAPER = flags.DEFINE_bool("paper", False, "Compare the method with the published numbers on CaFFe's test split.")
OUTPUT = flags.DEFINE_string("output", "", "Folder for compare.md and compare.json.")


def main() -> None:
    from glacierjax.reports.comparison import compare  # --help does not wait for scipy

    compared = compare(BASELINE.value, METHOD.value, PAPER.value)
    print(compared.text, end="")
    if OUTPUT.value:
        compared.write(Path(OUTPUT.value))


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))
