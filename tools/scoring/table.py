"""Writes the table of expected errors that the program reads."""
import pathlib
import re

from . import errors
from .row import Row

PATH = pathlib.Path("sim", "accuracy", "scored_errors.cpp")
DEVICES = pathlib.Path(__file__).resolve().parents[2] / "platforms" / "devices"
HEAD = """// How far predictions were from published measurements: written by tools/accuracy --write, never by
// hand. tests/accuracy/README.md has the sources.
#include "accuracy/expected_errors.hpp"

namespace rehearse {
namespace {

"""
TAIL = """
}  // namespace

std::span<const ExpectedError> scored_errors() { return kErrors; }
std::span<const ScoredGpu> scored_gpus() { return kGpus; }

}  // namespace rehearse
"""


def families(rows: list[Row]) -> dict[str, list[Row]]:
    """Scored rows by family, and those of a whole group where it has several families."""
    scored = [row for row in rows if row.scored]
    found = errors.by(scored, "family")
    for group, of_group in errors.by(scored, "group").items():
        found.setdefault(group, of_group)
    return dict(sorted(found.items()))


def entry(family: str, own: bool, found: errors.Summary) -> str:
    """A line of the table, broken where it is too long for one."""
    times = f"{{{found.shortest:.2g}}}, {{{found.longest:.2g}}}"
    numbers = f"{str(own).lower()}, {found.median:.2g}, {found.p90:.2g}, {found.rows}, {times}"
    line = f'    {{"{family}", {numbers}}},'
    return line if len(line) <= 100 else f'    {{"{family}", {numbers.removesuffix(times)}\n     {times}}},'


def vendor_of(gpu: str) -> str:
    """As its file of the catalogue says."""
    found = re.search(r"^vendor: (\w+)", (DEVICES / f"{gpu}.textproto").read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1) if found else ""


def gpu_lines(family: str, own: dict[str, bool]) -> list[str]:
    return [f'    {{"{family}", "{gpu}", "{vendor_of(gpu)}", {str(own[gpu]).lower()}}},' for gpu in sorted(own)]


def text(rows: list[Row]) -> str:
    lines, gpus = [], []
    for family, found in families(rows).items():
        own = errors.summary([row for row in found if row.own])
        others = errors.left_out_summary(found)
        lines += [entry(family, is_own, each) for is_own, each in ((True, own), (False, others)) if each]
        gpus += gpu_lines(family, {row.gpu: row.own for row in found})
    return (HEAD + "constexpr ExpectedError kErrors[] = {\n" + "\n".join(lines) + "\n};\n\n// Whose rows they are, and whether with constants of its own.\n"
            "constexpr ScoredGpu kGpus[] = {\n" + "\n".join(gpus) + "\n};\n" + TAIL)


def write(root: pathlib.Path, rows: list[Row]) -> None:
    (root / PATH).write_text(text(rows), encoding="utf-8")
