"""The constants of a device: a cap on its links and a delay for each protocol, one start for each source.

  seconds = start + latency + fill + rounds x step + copied bytes / (copy x memory) + link seconds / inside

Robust least squares of the logarithm of predicted over measured; each source weighs the same."""
import dataclasses

import numpy
from scipy.optimize import least_squares

# What a row of constants may have, with where its fit starts and its bounds. Times in microseconds.
FREE = {"inside": (0.6, 0.01, 1.5), "fill": (5.0, 0.0, 100.0), "step_inside": (0.05, 0.0, 2.6)}
# A start and the fills of all rows cannot be told apart: this row has none, so that a start is what its rows take
# beside their rounds.
ANCHOR = "nccl.ring.ll"
# Groups of 2 to 8 hardly tell a round's delay from the fill, and groups of hundreds live by it: no more than NCCL
# itself counts for a round (tuning.cc, hwLat of NVLink) less the 0.8 us that the links have.
MOST_STEP = {"ll": 0.1, "ll128": 1.1, "simple": 2.6}
MOST_FILL = {"ll": 20.0, "ll128": 15.0, "simple": 30.0}  # a few rows of one size hardly bound a fill
FEWEST = {"ll": 20, "ll128": 20, "simple": 5}  # rows that a constant is fitted to at least
TABLES = ("a100", "h100", "gb200-nvl72")  # with NVLink: boxes of PCIe cards fall with their number as no constant does


def bounds(name: str, field: str) -> tuple[float, float, float]:
    start, low, high = FREE[field]
    if field == "fill" and name == ANCHOR:
        return 0.0, 0.0, 1e-9
    if field == "fill":
        high = MOST_FILL[name.split(".")[-1]]
    if field == "step_inside":
        high = MOST_STEP[name.split(".")[-1]]
    return min(start, high), low, high


@dataclasses.dataclass
class Fit:
    gpu: str
    start: dict[str, float]            # seconds, by source
    copy: float
    rows: dict[str, dict[str, float]]  # by name of the constants' row
    used: dict[str, int]               # measured rows behind each

    def seconds(self, row, start=None) -> float:
        at = self.rows.get(row.row)
        if at is None:
            return float("nan")
        begin = self.start.get(row.source, 0.0) if start is None else start
        return (begin + row.latency + (at["fill"] + row.rounds_inside * at["step_inside"]) * 1e-6
                + row.copy / self.copy + row.inside / at["inside"])


def fit(gpu: str, rows: list) -> Fit:
    rows = [row for row in rows if row.gpu == gpu and row.one_domain]
    names = sorted({row.row for row in rows})
    names = [name for name in names if sum(row.row == name for row in rows) >= FEWEST[name.split(".")[-1]]]
    rows = [row for row in rows if row.row in names]
    sources = sorted({row.source for row in rows})
    of_source = {source: sum(row.source == source for row in rows) for source in sources}
    weight = numpy.sqrt([len(rows) / len(sources) / of_source[row.source] for row in rows])

    def unpack(x):
        values = iter(x)
        start = {source: next(values) * 1e-6 for source in sources}
        copy = next(values)
        constants = {name: {field: next(values) for field in FREE} for name in names}
        return Fit(gpu, start, copy, constants, {})

    def residuals(x):
        fitted = unpack(x)
        return weight * numpy.log([fitted.seconds(row) / row.seconds for row in rows])

    limits = [bounds(name, field) for name in names for field in FREE]
    begin = [8.0] * len(sources) + [0.3] + [start for start, _, _ in limits]
    low = [0.5] * len(sources) + [0.05] + [least for _, least, _ in limits]
    high = [100.0] * len(sources) + [1.5] + [most for _, _, most in limits]
    found = least_squares(residuals, numpy.clip(begin, low, high), bounds=(low, high), loss="soft_l1", f_scale=0.05,
                          x_scale=numpy.maximum(begin, 0.05))
    best = unpack(found.x)
    best.used = {name: sum(row.row == name for row in rows) for name in names}
    return best


def fit_all(rows: list) -> dict[str, Fit]:
    """Of every device that has a table of its own; others take these."""
    return {gpu: fit(gpu, rows) for gpu in TABLES}


def mean_of(fits: list[Fit]) -> Fit:
    """What a GPU without measurements is taken to reach: the mean of those that have the row."""
    names = sorted({name for each in fits for name in each.rows})
    rows = {}
    for name in names:
        having = [each.rows[name] for each in fits if name in each.rows]
        rows[name] = {field: float(numpy.mean([row[field] for row in having])) for field in FREE}
    return Fit("", {}, float(numpy.mean([each.copy for each in fits])), rows, {})
