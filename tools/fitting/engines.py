"""What an engine adds to the kernels and collectives of the catalogue, from published times of whole generations.

Two constants an engine, none of a model or a machine: what its kernels take longer to follow each other (per_operator), and
what its host takes for each request in a step of a service (scheduler_per_request), which an asynchronous engine hides behind
the step before. Hiding is a maximum, so the second is looked for on a grid; at each of its points a generation takes t0 + x times
what a microsecond per operator adds to it: the simulator is asked twice, and x >= 0 is where the errors are smallest (soft L1 of
the relative errors, each source of the same weight). Of all points the one with the smallest errors counts, where a larger one is clearly better. What the host takes
for a step, whatever is in it (scheduler_per_step), cannot be told from these rows: none is of a small model and few requests."""
import collections
import dataclasses
import pathlib
import re
import tempfile

import numpy
from scipy.optimize import minimize_scalar

from scoring import row as scored_row, services
from scoring.plans import Plans
from scoring.row import STATIC
from scoring.simulator import Simulator

CONSTANTS = ("per_operator", "scheduler_per_request")
PROBE = 10e-6     # s per operator
LARGEST = 100e-6
GRID = (0.0, 15e-6, 30e-6, 45e-6, 60e-6)  # s per request; vLLM's front end takes 46 us for a token (inference-sim/inference-sim@f90a1e3)
CLEARLY = 0.01  # a larger constant has to leave so much less of the loss
SCALE = 0.1     # of relative errors: those above weigh less
FEWEST = 3      # rows that a constant is fitted to
OWN = pathlib.Path("tests", "accuracy", "offered_rates.csv")
MOST_PLANS = 80  # of an engine: every so manieth of those that differ


class WithEngines(Simulator):
    """Asks with engine files of another folder."""

    def __init__(self, binary: str, folder: pathlib.Path, engines: pathlib.Path):
        super().__init__(binary, folder)
        self.own = engines

    def run(self, *words: str):
        return super().run(*words, *(["--engines", str(self.own)] if words[0] == "run" else []))


def with_constant(text: str, name: str, value: str, note: str) -> str:
    line = f'{name} {{ value: "{value}" kind: measured source: "generations" note: "{note}" }}'
    if re.search(rf"^{name} \{{", text, re.MULTILINE):
        return re.sub(rf"^{name} \{{.*$", line, text, flags=re.MULTILINE)
    lines = text.rstrip("\n").split("\n")
    before = [at for at, each in enumerate(lines) if re.match(r"per_|scheduler_", each)]
    lines.insert(before[-1] + 1 if before else len(lines), line)
    return "\n".join(lines) + "\n"


def files_with(engines: pathlib.Path, folder: pathlib.Path, constants: tuple[float, float]) -> pathlib.Path:
    folder.mkdir()
    for path in engines.glob("*.textproto"):
        text = path.read_text(encoding="utf-8")
        for name, seconds in zip(CONSTANTS, constants, strict=True):
            text = with_constant(text, name, f"{seconds * 1e6:.6g}us", "a probe")
        (folder / path.name).write_text(text, encoding="utf-8")
    return folder


def thinned(rows: list) -> list:
    """Not more than so many plans, evenly taken."""
    plans = list(dict.fromkeys((each.gpu, each.question["layout"], each.question["job"]) for each in rows))
    step = -(-len(plans) // MOST_PLANS)
    kept = set(plans[::step])
    return [each for each in rows if (each.gpu, each.question["layout"], each.question["job"]) in kept]


def measured(folder: pathlib.Path) -> dict[str, list]:
    """Rows of whole generations by engine: static batches, and times per token of services."""
    rows = services.questions(folder)
    scored_row.refuse_repeated(rows)
    by_engine = collections.defaultdict(list)
    for each in rows:
        if each.file == str(OWN) or each.reason:
            continue  # this project's own table is what nothing is fitted to
        if each.kind == STATIC or each.question["quantity"] == "tpot":
            by_engine[each.question["engine"]].append(each)
    return {name: thinned(found) for name, found in sorted(by_engine.items()) if len(found) >= FEWEST}


def best(rows: list, without: numpy.ndarray, per_second: numpy.ndarray) -> tuple[float, float]:
    """Seconds per operator, and the loss that is left."""
    times = numpy.array([each.measured for each in rows])
    count = collections.Counter(each.source for each in rows)
    weights = numpy.array([1 / count[each.source] for each in rows])

    def loss(seconds: float) -> float:
        off = ((without + seconds * per_second) / times - 1) / SCALE
        return float(numpy.sum(weights * (numpy.sqrt(1 + off * off) - 1)))

    found = minimize_scalar(loss, bounds=(0, LARGEST), method="bounded", options={"xatol": 1e-8})
    return (0.0, loss(0)) if loss(0) <= found.fun else (float(found.x), float(found.fun))


def kinds_of(rows: list) -> str:
    static = sum(each.kind == STATIC for each in rows)
    counts = {"static batches": static, "times per token of services": len(rows) - static}
    return " and ".join(f"{count} {kind}" for kind, count in counts.items() if count)


@dataclasses.dataclass
class Fitted:
    loss: float
    constants: tuple[float, float]
    rows: list
    predicted: numpy.ndarray


def report(name: str, fitted: Fitted, mark: str) -> None:
    off = fitted.predicted / numpy.array([each.measured for each in fitted.rows]) - 1
    said = ", ".join(f"{constant} {seconds * 1e6:.3g} us" for constant, seconds in zip(CONSTANTS, fitted.constants, strict=True))
    print(f"{mark} {name:18} {said}  {kinds_of(fitted.rows)}: loss {fitted.loss:.3g}, median {100 * numpy.median(abs(off)):.1f} %, "
          f"P90 {100 * numpy.percentile(abs(off), 90):.1f} %, bias {100 * numpy.median(off):+.1f} %", flush=True)


def fit(by_engine: dict[str, list], request: float, binary: str, engines: pathlib.Path, work: pathlib.Path) -> dict[str, Fitted]:
    """With so many seconds a request, by engine."""
    asked = [each for rows in by_engine.values() for each in rows]
    answers = []
    for operator in (0.0, PROBE):
        files = files_with(engines, work / f"engines-{request:g}-{operator:g}", (operator, request))
        answers.append(Plans(WithEngines(binary, work / f"plans-{request:g}-{operator:g}", files)).answers(asked))
    of_row = {id(each): (zero[0], probe[0]) for each, zero, probe in zip(asked, *answers, strict=True)}
    found = {}
    for name, rows in by_engine.items():
        rows = [each for each in rows if None not in of_row[id(each)]]
        if len(rows) < FEWEST:
            continue
        without = numpy.array([of_row[id(each)][0] for each in rows])
        per_second = (numpy.array([of_row[id(each)][1] for each in rows]) - without) / PROBE
        seconds, loss = best(rows, without, per_second)
        found[name] = Fitted(loss, (seconds, request), rows, without + seconds * per_second)
        report(name, found[name], " ")
    return found


def fit_all(folder: pathlib.Path, binary: str, root: pathlib.Path, write: bool) -> None:
    engines = root / "workloads" / "engines"
    by_engine = {name: rows for name, rows in measured(folder).items() if (engines / f"{name}.textproto").exists()}
    served = {name: rows for name, rows in by_engine.items() if any(each.kind != STATIC for each in rows)}
    chosen: dict[str, Fitted] = {}
    with tempfile.TemporaryDirectory() as place:
        for request in GRID:
            for name, fitted in fit(by_engine if request == 0 else served, request, binary, engines, pathlib.Path(place)).items():
                if name not in chosen or fitted.loss < (1 - CLEARLY) * chosen[name].loss:
                    chosen[name] = fitted
    for name, fitted in chosen.items():
        report(name, fitted, "*")
        if not write:
            continue
        path = engines / f"{name}.textproto"
        text = path.read_text(encoding="utf-8")
        note = f"tools/fit to {kinds_of(fitted.rows)} that were published, with the kernels and collectives of the catalogue"
        for constant, seconds in zip(CONSTANTS if name in served else CONSTANTS[:1], fitted.constants, strict=False):
            text = with_constant(text, constant, f"{seconds * 1e6:.2g}us", note)
        path.write_text(text, encoding="utf-8")
