#!/usr/bin/env python3
"""Fits what the all-reduce kernels of inference engines cost: launch and share of the scale-up links
per machine and kernel, from times in CUDA graphs inside one domain.

A kernel takes launch + rounds x latency of a route + bytes out of a GPU / (share x its links). Which
kernel ran is not in the rows: it is the one that the engine takes by its own limits (the same as in
sim/collectives/libraries/{vllm,sglang,tensorrt_llm}.cpp), and rows beyond them are NCCL's.

    tools/fit_engines.py FILE.csv      columns system, framework, backend, n_gpus, size_bytes, time_us
"""
import collections
import csv
import sys

import numpy as np
from scipy.optimize import least_squares

KIB, MIB = 1024, 1024 * 1024
# GB/s one way out of a GPU, us of a route inside: platforms/devices.
MACHINES = {
    "A100-SXM-80": ("ampere", 300, 1.1),
    "H100-SXM-80": ("hopper", 450, 0.8),
    "GB200-NVL72": ("blackwell", 900, 1.14),
}


def custom(n, most):
    limit = {2: most, 4: min(most, 512 * KIB - 1)}.get(n, min(most, 256 * KIB - 1))
    return [("one_shot", limit), ("two_shot", most)]


def vllm(generation, n):
    if generation == "ampere":
        return custom(n, 8 * MIB - 1)
    if generation == "hopper":
        most = {2: 8 * MIB - 1, 4: 8 * MIB - 1, 8: 256 * KIB - 1}[n]
        return custom(n, most) + [("symmetric", 64 * MIB) if n == 2 else
                                  ("multimem", {4: 32, 8: 64}[n] * MIB)]
    return custom(n, 2 * MIB - 1) + [("symmetric", {2: 8, 4: 32}[n] * MIB)]


def sglang(generation, n):
    return custom(n, (8 if generation == "ampere" else 16) * MIB)


def tensorrt_llm(generation, n):
    one = {("ampere", 2): MIB, ("ampere", 4): MIB, ("ampere", 8): 512 * KIB,
           ("hopper", 2): 4 * MIB, ("hopper", 4): MIB, ("hopper", 8): 256 * KIB,
           ("blackwell", 2): 16 * MIB - 1, ("blackwell", 4): 8 * MIB}[generation, n]
    kernels = [("one_shot", one)]
    return kernels + [("two_shot", 512 * KIB)] if (generation, n) == ("hopper", 8) else kernels


ENGINES = {"vllm": vllm, "sglang": sglang, "trtllm": tensorrt_llm}
NAMES = {"trtllm": "tensorrt_llm"}


def kernel_of(framework, generation, n, size):
    """The kernel that the engine takes; None: NCCL's."""
    for kernel, most in ENGINES[framework](generation, n):
        if size <= most:
            return kernel
    return None


def wire_of(kernel, n, size):
    """Rounds, and bytes out of a GPU."""
    if kernel == "one_shot":
        return 1, size * (n - 1)
    if kernel == "multimem":
        return 2, size * (1 + 1 / n)
    return 2, 2 * size * (n - 1) / n


def points_of(rows):
    """Times by (machine, "engine.kernel"): [rounds, bytes, us]."""
    points = collections.defaultdict(list)
    for row in rows:
        if row["system"] not in MACHINES or "eager" in row["backend"]:
            continue
        n, size = int(row["n_gpus"]), float(row["size_bytes"])
        kernel = kernel_of(row["framework"], MACHINES[row["system"]][0], n, size)
        if kernel is None:
            continue
        name = NAMES.get(row["framework"], row["framework"])
        points[row["system"], name + "." + kernel].append(
            (*wire_of(kernel, n, size), float(row["time_us"])))
    return {key: np.array(values) for key, values in points.items()}


def predict(machine, launch, share, points):
    _, rate, latency = MACHINES[machine]
    return launch + points[:, 0] * latency + points[:, 1] / (share * rate * 1e3)


def fit(rows):
    """{(machine, "engine.kernel"): (launch in us, share)}: least relative error, outliers weigh less."""
    constants = {}
    for (machine, row), points in sorted(points_of(rows).items()):
        best = least_squares(
            lambda x: predict(machine, x[0], x[1], points) / points[:, 2] - 1, [4, 0.5],
            bounds=([0, 0.01], [100, 1]), loss="soft_l1", f_scale=0.1)
        constants[machine, row] = (float(best.x[0]), float(best.x[1]))
    return constants


def mean_of_others(constants, machine, row):
    """Of the row on the other machines: for one that was not measured. None: it was on no other."""
    others = [value for (other, name), value in constants.items() if name == row and other != machine]
    return tuple(np.mean(others, axis=0)) if others else None


def errors(rows, constants, left_out):
    """Relative errors by machine; left_out: by the constants of the other machines."""
    by_machine = collections.defaultdict(list)
    for (machine, row), points in points_of(rows).items():
        values = mean_of_others(constants, machine, row) if left_out else constants[machine, row]
        if values is not None:
            by_machine[machine].extend(np.abs(predict(machine, *values, points) / points[:, 2] - 1))
    return by_machine


def main():
    with open(sys.argv[1], newline="") as file:
        rows = list(csv.DictReader(file))
    constants = fit(rows)
    for (machine, row), (launch, share) in constants.items():
        print(f"{row:24} {machine:12} launch {launch:6.2f} us  inside {share:.3f}")
    for row in sorted({row for _, row in constants}):
        launch, share = mean_of_others(constants, None, row)
        print(f"{row:24} mean         launch {launch:6.2f} us  inside {share:.3f}")
    for left_out in (False, True):
        print("constants of other machines:" if left_out else "constants of the machine:")
        found = errors(rows, constants, left_out)
        found["all"] = sum(found.values(), [])
        for machine, values in found.items():
            print(f"  {machine:12} {len(values):4} rows, median {100 * np.median(values):.1f} %, "
                  f"P90 {100 * np.percentile(values, 90):.1f} %")


if __name__ == "__main__":
    main()
