#!/usr/bin/env python3
"""How far rules for SMs that are taken are from the measured slow-downs of this folder.

    sms_taken.py [FOLDER]     of h100-overlap.csv and h200-overlap.csv (default: the folder above)

For each kind of kernel and taker, 1 to 32 SMs taken: the mean of the absolute log ratio of the slow-down
that a rule predicts to the measured one, and how many times as slow as the rule says it is on average.
"share" is the simulator's: what is computed takes SMs / (SMs - taken) times as long, what is moved as
long as before. "none" is no rule.
"""

import csv
import math
import pathlib
import statistics
import sys

SMS = 132
MOST = 32  # taken: no collective holds more
MEMORY_BOUND = ("copy", "rmsnorm")
SHAPE = ("gpu", "run", "kind", "source", "dtype", "m", "n", "k", "batch", "tokens", "context",
         "hidden", "bytes")


def kind_of(row):
    if row["kind"] != "gemm":
        return "attention" if row["kind"].startswith("attn") else row["kind"]
    return "product_of_tiles" if row["source"].startswith("triton") else "product_of_a_library"


def slow_downs(folder):
    """Of each kernel beside a taker: its kind, taker, SMs taken, how many times as long as alone."""
    for path in sorted(folder.glob("*-overlap.csv")):
        with open(path, newline="") as file:
            rows = [row for row in csv.DictReader(file)
                    if row["kind"] != "taker_alone" and "leave SMs free" not in row["source"]]
        alone = {}
        for row in rows:
            if row["taker"] == "none":
                alone.setdefault(tuple(row[of] for of in SHAPE), []).append(float(row["time_us"]))
        for row in rows:
            taken = int(row["sms_taken"])
            if row["taker"] not in ("spin", "stream") or not 1 <= taken <= MOST:
                continue
            base = statistics.mean(alone[tuple(row[of] for of in SHAPE)])
            yield kind_of(row), row["taker"], taken, float(row["time_us"]) / base


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent
    errors = {}
    for kind, taker, taken, slow in slow_downs(folder):
        share = 1 if kind in MEMORY_BOUND else SMS / (SMS - taken)
        errors.setdefault((kind, taker), []).append((math.log(share / slow), math.log(1 / slow)))
    print(f"# {'rows':>3} {'share':>6} {'slower':>6} {'none':>6}  {'taker':6}  kernel")
    for (kind, taker), rows in sorted(errors.items()):
        share = statistics.mean(abs(error) for error, _ in rows)
        slower = math.exp(-statistics.mean(error for error, _ in rows))
        none = statistics.mean(abs(error) for _, error in rows)
        print(f"{len(rows):5} {share:6.3f} {slower:6.3f} {none:6.3f}  {taker:6}  {kind}")


if __name__ == "__main__":
    main()
