"""From a folder of measured rows to rows with answers."""
import pathlib

from . import collectives, devices, kernels, own_kernels, row, services
from .plans import Plans
from .row import COLLECTIVE, OPERATOR, SERVING, STATIC, Row
from .simulator import Simulator

# Which rows of costs a family of collectives takes.
COSTS = {"deepep_normal": "deepep.normal", "deepep_low_latency": "deepep.low_latency"}


def measured_rows(folder: pathlib.Path, platforms: pathlib.Path) -> list[Row]:
    rows = own_kernels.questions(platforms / "measured") + kernels.questions(folder) + collectives.questions(folder) + services.questions(folder)
    row.refuse_repeated(rows)
    return rows


def mark_own(rows: list[Row], files: dict[str, list[str]]) -> None:
    """Says of which rows the GPU's constants were measured on it."""
    kernels_of, costs_of = devices.with_kernels(files), devices.with_collectives(files)
    for each in rows:
        if each.kind == COLLECTIVE:
            start = COSTS.get(each.group, each.group) + "."
            each.own = any(name.startswith(start) for name in costs_of.get(each.gpu, set()))
        else:
            each.own = each.gpu in kernels_of


def answers(simulator: Simulator, rows: list[Row], lone: dict[str, set[str]]) -> list[tuple[Row, float | None, str, str]]:
    """Each row with its seconds, why there are none, and a remark."""
    found = []
    of_kind = {kind: [each for each in rows if each.kind == kind] for kind in (OPERATOR, COLLECTIVE)}
    for kind, ask in ((OPERATOR, simulator.operators), (COLLECTIVE, simulator.collectives)):
        found += [(each, *answer, "") for each, answer in zip(of_kind[kind], ask(of_kind[kind], lone), strict=True)]
    plans = [each for each in rows if each.kind in (STATIC, SERVING)]
    found += [(each, *answer) for each, answer in zip(plans, Plans(simulator).answers(plans), strict=True)]
    return found


def score(folder: pathlib.Path, binary: str, platforms: pathlib.Path, work: pathlib.Path) -> list[Row]:
    """`platforms`: the folder of the device files, and of what this project measured."""
    rows, device_files = measured_rows(folder, platforms), platforms / "devices"
    asked = [each for each in rows if not each.reason]
    mark_own(asked, devices.lines_of(device_files))
    for each, predicted, reason, remark in answers(Simulator(binary, work / "own"), asked, {}):
        each.predicted, each.reason, each.remark = predicted, reason, remark
    lone = devices.write_left_out(device_files, work / "devices")
    again = [each for each in asked if each.scored and each.own]
    for each, predicted, _, _ in answers(Simulator(binary, work / "left_out", work / "devices"), again, lone):
        each.left_out = predicted
    return rows
