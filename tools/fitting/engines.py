"""What an engine's host adds to every operator, from published times of whole generations.

A generation takes t0 + x times what a microsecond per operator adds to it: the simulator is asked twice, with engine files
that say 0 and PROBE, and x >= 0 is where the errors are smallest (soft L1 of the relative errors, each source of the same
weight): static batches, and times per token in a closed loop. One constant for an engine; kernels and collectives keep
theirs."""
import collections
import pathlib
import re
import tempfile

import numpy
from scipy.optimize import minimize_scalar

from scoring import generations, row as scored_row
from scoring.plans import Plans
from scoring.row import STATIC
from scoring.simulator import Simulator

PROBE = 10e-6   # s per operator
LARGEST = 100e-6
SCALE = 0.1     # of relative errors: those above weigh less
FEWEST = 3      # rows that a constant is fitted to


class WithEngines(Simulator):
    """Asks with engine files of another folder."""

    def __init__(self, binary: str, folder: pathlib.Path, engines: pathlib.Path):
        super().__init__(binary, folder)
        self.own = engines

    def run(self, *words: str):
        return super().run(*words, *(["--engines", str(self.own)] if "--engine" in words else []))


def with_per_operator(text: str, value: str, note: str) -> str:
    line = f'per_operator {{ value: "{value}" kind: measured source: "generations" note: "{note}" }}'
    return re.sub(r"^per_operator \{.*$", line, text, flags=re.MULTILINE)


def files_with(engines: pathlib.Path, folder: pathlib.Path, seconds: float) -> pathlib.Path:
    folder.mkdir()
    for path in engines.glob("*.textproto"):
        text = with_per_operator(path.read_text(encoding="utf-8"), f"{seconds * 1e6:g}us", "a probe")
        (folder / path.name).write_text(text, encoding="utf-8")
    return folder


def measured(folder: pathlib.Path) -> dict[str, list]:
    """Rows of whole generations by engine."""
    rows = generations.questions(folder)
    scored_row.refuse_repeated(rows)
    by_engine = collections.defaultdict(list)
    for each in rows:
        if not each.reason and each.question["engine"]:
            by_engine[each.question["engine"]].append(each)
    return {name: found for name, found in sorted(by_engine.items()) if len(found) >= FEWEST}


def best(rows: list, without: numpy.ndarray, per_second: numpy.ndarray) -> float:
    times = numpy.array([each.measured for each in rows])
    count = collections.Counter(each.source for each in rows)
    weights = numpy.array([1 / count[each.source] for each in rows])

    def loss(seconds: float) -> float:
        off = ((without + seconds * per_second) / times - 1) / SCALE
        return float(numpy.sum(weights * (numpy.sqrt(1 + off * off) - 1)))

    found = minimize_scalar(loss, bounds=(0, LARGEST), method="bounded", options={"xatol": 1e-8})
    return 0.0 if loss(0) <= found.fun else float(found.x)


def kinds_of(rows: list) -> str:
    static = sum(each.kind == STATIC for each in rows)
    counts = {"static batches": static, "times per token in a closed loop": len(rows) - static}
    return " and ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def report(name: str, rows: list, seconds: float, predicted: numpy.ndarray) -> None:
    off = numpy.array([seconds_of / each.measured - 1 for each, seconds_of in zip(rows, predicted, strict=True)])
    print(f"{name:18} {seconds * 1e6:5.1f} us per operator  {kinds_of(rows)}: median {100 * numpy.median(abs(off)):.1f} %, "
          f"P90 {100 * numpy.percentile(abs(off), 90):.1f} %, bias {100 * numpy.median(off):+.1f} %")


def fit_all(folder: pathlib.Path, binary: str, root: pathlib.Path, write: bool) -> None:
    engines = root / "workloads" / "engines"
    by_engine = measured(folder)
    asked = [each for rows in by_engine.values() for each in rows]
    with tempfile.TemporaryDirectory() as place:
        work = pathlib.Path(place)
        answers = []
        for seconds in (0.0, PROBE):
            files = files_with(engines, work / f"engines-{seconds:g}", seconds)
            answers.append(Plans(WithEngines(binary, work / f"plans-{seconds:g}", files)).answers(asked))
    of_row = {id(each): (zero[0], probe[0]) for each, zero, probe in zip(asked, *answers, strict=True)}
    for name, rows in by_engine.items():
        rows = [each for each in rows if None not in of_row[id(each)]]
        if len(rows) < FEWEST:
            continue
        without = numpy.array([of_row[id(each)][0] for each in rows])
        per_second = (numpy.array([of_row[id(each)][1] for each in rows]) - without) / PROBE
        seconds = best(rows, without, per_second)
        report(name, rows, seconds, without + seconds * per_second)
        path = engines / f"{name}.textproto"
        if write and path.exists():
            note = f"tools/fit to {kinds_of(rows)} that were published, with the kernels and collectives of the catalogue"
            path.write_text(with_per_operator(path.read_text(encoding="utf-8"), f"{seconds * 1e6:.2g}us", note), encoding="utf-8")
