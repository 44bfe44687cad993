"""What an engine adds to the kernels and collectives of the catalogue, from published times of whole generations.

Three constants an engine, none of a model or a machine: what its kernels take longer to follow each other (per_operator), and
what its host takes for a step of a service and for each request in it (scheduler_per_step, scheduler_per_request), which an
asynchronous engine hides behind the step before. The simulator is asked with engine files that say the constants so far and,
constant by constant, a little more; errors are then smallest (soft L1 of the relative errors, each source of the same weight,
no constant below 0) in the plane through these answers. Hiding is no plane, so this is done ROUNDS times. Of static batches the
scheduler's constants are no part."""
import collections
import pathlib
import re
import tempfile

import numpy
from scipy.optimize import least_squares

from scoring import row as scored_row, services
from scoring.plans import Plans
from scoring.row import STATIC
from scoring.simulator import Simulator

# Name in the files, s that are added to look, at most, name of the file's source. Largest last: the order of the files.
CONSTANTS = (("per_operator", 2e-6, 100e-6), ("scheduler_per_step", 1e-3, 20e-3), ("scheduler_per_request", 20e-6, 500e-6))
ROUNDS = 2
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


def files_with(engines: pathlib.Path, folder: pathlib.Path, constants: dict[str, numpy.ndarray]) -> pathlib.Path:
    folder.mkdir()
    for path in engines.glob("*.textproto"):
        text = path.read_text(encoding="utf-8")
        for (name, _, _), seconds in zip(CONSTANTS, constants.get(path.stem, ()), strict=False):
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


def weights_of(rows: list) -> numpy.ndarray:
    count = collections.Counter(each.source for each in rows)
    return numpy.array([1 / count[each.source] for each in rows])


def step(rows: list, base: numpy.ndarray, slopes: numpy.ndarray, now: numpy.ndarray) -> numpy.ndarray:
    """The constants at which the errors are smallest, where `base` are the answers `now` and `slopes` what a second of each adds."""
    times = numpy.array([each.measured for each in rows])
    roots = numpy.sqrt(weights_of(rows))
    free = [at for at in range(len(now)) if slopes[at].any()]

    def residuals(x):
        found = base + sum(slopes[at] * (value - now[at]) for at, value in zip(free, x))
        return roots * (found / times - 1) / SCALE

    most = [CONSTANTS[at][2] for at in free]
    best = least_squares(residuals, numpy.minimum(now[free] + 1e-9, most), bounds=(numpy.zeros(len(free)), most), loss="soft_l1", x_scale=most)
    found = now.copy()
    found[free] = numpy.where(best.x < 1e-8, 0.0, best.x)
    return found


def kinds_of(rows: list) -> str:
    static = sum(each.kind == STATIC for each in rows)
    counts = {"static batches": static, "times per token of services": len(rows) - static}
    return " and ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def report(name: str, rows: list, constants: numpy.ndarray, predicted: numpy.ndarray) -> None:
    off = numpy.array([seconds_of / each.measured - 1 for each, seconds_of in zip(rows, predicted, strict=True)])
    said = ", ".join(f"{constant} {seconds * 1e6:.3g} us" for (constant, _, _), seconds in zip(CONSTANTS, constants))
    print(f"{name:18} {said}  {kinds_of(rows)}: median {100 * numpy.median(abs(off)):.1f} %, "
          f"P90 {100 * numpy.percentile(abs(off), 90):.1f} %, bias {100 * numpy.median(off):+.1f} %", flush=True)


class Asking:
    """The simulator's answers to all rows with given constants."""

    def __init__(self, binary: str, engines: pathlib.Path, work: pathlib.Path, rows: list):
        self.binary, self.engines, self.work, self.rows, self.times = binary, engines, work, rows, 0

    def __call__(self, constants: dict[str, numpy.ndarray]) -> dict[int, float | None]:
        self.times += 1
        files = files_with(self.engines, self.work / f"engines-{self.times}", constants)
        answers = Plans(WithEngines(self.binary, self.work / f"plans-{self.times}", files)).answers(self.rows)
        return {id(each): answer[0] for each, answer in zip(self.rows, answers, strict=True)}


def fit_all(folder: pathlib.Path, binary: str, root: pathlib.Path, write: bool) -> None:
    engines = root / "workloads" / "engines"
    by_engine = {name: rows for name, rows in measured(folder).items() if (engines / f"{name}.textproto").exists()}
    now = {name: numpy.zeros(len(CONSTANTS)) for name in by_engine}
    with tempfile.TemporaryDirectory() as place:
        ask = Asking(binary, engines, pathlib.Path(place), [each for rows in by_engine.values() for each in rows])
        for _ in range(ROUNDS):
            base = ask(now)
            probes = [ask({name: at + numpy.eye(len(CONSTANTS))[index] * probe for name, at in now.items()})
                      for index, (_, probe, _) in enumerate(CONSTANTS)]
            for name, rows in by_engine.items():
                rows = [each for each in rows if base[id(each)] is not None]
                if len(rows) < FEWEST:
                    continue
                at = numpy.array([base[id(each)] for each in rows])
                slopes = numpy.array([(numpy.array([probe[id(each)] for each in rows]) - at) / seconds
                                      for probe, (_, seconds, _) in zip(probes, CONSTANTS)])
                report(name, rows, now[name], at)
                now[name] = step(rows, at, slopes, now[name])
        last = ask(now)
    for name, rows in by_engine.items():
        rows = [each for each in rows if last[id(each)] is not None]
        if len(rows) < FEWEST:
            continue
        report(name, rows, now[name], numpy.array([last[id(each)] for each in rows]))
        if not write:
            continue
        path, text = engines / f"{name}.textproto", (engines / f"{name}.textproto").read_text(encoding="utf-8")
        note = f"tools/fit to {kinds_of(rows)} that were published, with the kernels and collectives of the catalogue"
        served = any(each.kind != STATIC for each in rows)
        for (constant, _, _), seconds in zip(CONSTANTS[:3 if served else 1], now[name]):
            text = with_constant(text, constant, f"{seconds * 1e6:.2g}us", note)
        path.write_text(text, encoding="utf-8")
