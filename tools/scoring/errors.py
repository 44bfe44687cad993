"""What many errors come to: each source weighs the same, however many rows it has."""
import collections
import dataclasses
import math

from .row import Row


@dataclasses.dataclass
class Summary:
    rows: int
    median: float   # of the absolute relative error
    p90: float
    bias: float     # median of the relative error
    shortest: float  # seconds, of what was measured
    longest: float


def weighted_quantile(values: list[float], weights: list[float], part: float) -> float:
    """The first of the sorted values at which the weights reach `part` of their sum."""
    total, reached = sum(weights), 0.0
    ordered = sorted(zip(values, weights))
    for value, weight in ordered:
        reached += weight
        if reached >= part * total * (1 - 1e-12):
            return value
    return ordered[-1][0]


def summary_of(rows: list[Row], errors: list[float]) -> Summary:
    of_source = collections.Counter(row.source for row in rows)
    weights = [1 / of_source[row.source] for row in rows]
    sizes = [abs(error) for error in errors]
    measured = [row.measured for row in rows]
    return Summary(len(rows), weighted_quantile(sizes, weights, 0.5), weighted_quantile(sizes, weights, 0.9),
                   weighted_quantile(errors, weights, 0.5), min(measured), max(measured))


def summary(rows: list[Row]) -> Summary | None:
    return summary_of(rows, [row.error for row in rows]) if rows else None


def left_out_summary(rows: list[Row]) -> Summary | None:
    """With the constants of the other GPUs: rows of a GPU that was left out, and those of GPUs that nobody measured."""
    with_others = [(row, row.left_out / row.measured - 1) for row in rows if row.left_out is not None]
    with_others += [(row, row.error) for row in rows if row.left_out is None and not row.own]
    return summary_of([row for row, _ in with_others], [error for _, error in with_others]) if with_others else None


SMALL = 65536  # bytes: what such a collective takes is mostly its start


def with_starts(rows: list[Row]) -> Summary | None:
    """Of collectives, with the start that makes a source's small ones right in the middle: one number a source."""
    found = []
    for of_source in by(rows, "source").values():
        small = sorted(row.measured - row.predicted for row in of_source if 0 < float(row.question.get("bytes", 0)) <= SMALL)
        start = small[(len(small) - 1) // 2] if small else 0.0
        found += [(row, max(row.predicted + start, 0.0) / row.measured - 1) for row in of_source]
    return summary_of([row for row, _ in found], [error for _, error in found]) if found else None


def worst(rows: list[Row], most: int) -> list[Row]:
    """The furthest off by their ratio: half the time is as wrong as twice the time."""
    return sorted(rows, key=lambda row: (-abs(math.log(row.predicted / row.measured)), row.file, row.name))[:most]


def by(rows: list[Row], name: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = collections.defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return dict(sorted(found.items()))
