#!/usr/bin/env python3
"""Fits what DeepEP's kernels cost inside one domain: launch and share of the scale-up links per machine, kernel and
direction.

A kernel takes launch + latency of a route + bytes out of a GPU / (share x its links). Low latency sends a row to each
expert, normal one to each rank that has an expert of the token; rows as in sim/collectives/moe_traffic.hpp. Dispatch is
of FP8 with scales, combine of bf16; normal kernels of 20 SMs, their default.

    tools/fit_deepep.py LOW_LATENCY.csv NORMAL.csv     columns of aiconfigurator's wideep_deepep_*_perf tables
"""
import collections
import csv
import math
import sys

import numpy as np
from scipy.optimize import least_squares

# GB/s one way out of a GPU, us of a route inside, GPUs of the measured node.
MACHINES = {"H100-SXM-80": (450, 0.8, 8), "GB200-NVL72": (900, 1.14, 4)}


def share_of_copies(n, experts, top_k):
    """Of the copies for the experts of one rank, those that differ by token."""
    here = experts / n
    missed = math.prod(max(0, experts - here - i) / (experts - i) for i in range(top_k))
    return (1 - missed) / (top_k / n)


def wire_of(mode, back, n, hidden, top_k, experts, tokens):
    """Bytes out of a GPU to the others."""
    row = 2 * hidden if back else hidden + 4 * hidden / 128
    copies = tokens * top_k * (n - 1) / n
    if mode == "low_latency":
        return copies * (row + (0 if back else 16))
    return copies * share_of_copies(n, experts, top_k) * (row + (0 if back else 8 + top_k * 12))


def points_of(low_latency, normal):
    """Times by (machine, "deepep.MODE.DIRECTION"): [bytes, us]."""
    points = collections.defaultdict(list)
    for mode, rows in (("low_latency", low_latency), ("normal", normal)):
        for row in rows:
            if row["system"] not in MACHINES or (mode == "normal" and row["dispatch_sms"] != "20"):
                continue
            shape = (MACHINES[row["system"]][2], int(row["hidden_size"]), int(row["num_topk"]),
                     int(row["num_experts"]), int(row["num_token"]))
            for direction in ("dispatch", "combine"):
                time = row[direction + ("_avg_t_us" if mode == "low_latency" else "_transmit_us")]
                points[row["system"], f"deepep.{mode}.{direction}"].append(
                    (wire_of(mode, direction == "combine", *shape), float(time)))
    return {key: np.array(values) for key, values in points.items()}


def predict(machine, launch, share, points):
    rate, latency, _ = MACHINES[machine]
    return launch + latency + points[:, 0] / (share * rate * 1e3)


def fit(points):
    """{(machine, row): (launch in us, share)}: least relative error, outliers weigh less."""
    constants = {}
    for (machine, row), values in sorted(points.items()):
        best = least_squares(
            lambda x: predict(machine, x[0], x[1], values) / values[:, 1] - 1, [20, 0.5],
            bounds=([0, 0.01], [200, 1]), loss="soft_l1", f_scale=0.1)
        constants[machine, row] = (float(best.x[0]), float(best.x[1]))
    return constants


def mean_of_others(constants, machine, row):
    others = [value for (other, name), value in constants.items() if name == row and other != machine]
    return tuple(np.mean(others, axis=0))


def print_errors(points, constants, left_out):
    found = collections.defaultdict(list)
    for (machine, row), values in points.items():
        of = mean_of_others(constants, machine, row) if left_out else constants[machine, row]
        found[machine, row].extend(np.abs(predict(machine, *of, values) / values[:, 1] - 1))
    found["all", ""] = sum(found.values(), [])
    for (machine, row), errors in found.items():
        print(f"  {machine:12} {row:28} {len(errors):5} rows, median {100 * np.median(errors):.1f} %, "
              f"P90 {100 * np.percentile(errors, 90):.1f} %")


def main():
    tables = []
    for path in sys.argv[1:3]:
        with open(path, newline="") as file:
            tables.append(list(csv.DictReader(file)))
    points = points_of(*tables)
    constants = fit(points)
    for (machine, row), (launch, share) in constants.items():
        print(f"{row:28} {machine:12} launch {launch:6.2f} us  inside {share:.3f}")
    for left_out in (False, True):
        print("constants of the other machine:" if left_out else "constants of the machine:")
        print_errors(points, constants, left_out)


if __name__ == "__main__":
    main()
