"""Are two layouts of one model and machine ordered as they were measured?"""
import dataclasses
import itertools

from .row import STATIC, Row

TIE = 0.01  # measurements closer than this order nothing


@dataclasses.dataclass
class Order:
    pairs: int
    right: int


def work_of(row: Row) -> tuple:
    """All that a row asks but the layout."""
    question = {name: value for name, value in row.question.items() if name not in ("layout", "gpus")}
    return (row.source, row.gpu, row.kind, tuple(sorted(question.items())))


# What is ordered: a group of families.
GROUPS = (STATIC, "serving_tpot", "serving_ttft", "serving_throughput")


def orders(rows: list[Row]) -> dict[str, Order]:
    """By group of families."""
    found = {}
    for kind in GROUPS:
        groups: dict[tuple, list[Row]] = {}
        for row in rows:
            if row.group == kind and row.scored:
                groups.setdefault(work_of(row), []).append(row)
        pairs = [pair for group in groups.values() for pair in itertools.combinations(group, 2)
                 if pair[0].question["layout"] != pair[1].question["layout"] and abs(pair[0].measured / pair[1].measured - 1) > TIE]
        right = sum((one.measured < other.measured) == (one.predicted < other.predicted) for one, other in pairs)
        found[kind] = Order(len(pairs), right)
    return found
