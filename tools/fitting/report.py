"""What was fitted, and how far it is off: by source, by machine, and of a machine that was left out."""
import collections

import numpy

from . import collectives


def constants(fitted: dict) -> None:
    for gpu, fit in fitted.items():
        print(f"{gpu}: copy {fit.copy:.3f} of the memory's bandwidth")
        for source, start in fit.start.items():
            print(f"  start {start * 1e6:6.2f} us  {source}")
        for name, row in fit.rows.items():
            print(f"  {name:28} inside {row['inside']:.3f}  fill {row['fill']:6.2f} us  step {row['step_inside']:5.2f} us"
                  f"  ({fit.used[name]} rows)")


def line(what: str, errors: list[float]) -> str:
    off = numpy.abs(errors)
    return (f"  {what:44} {len(errors):5} rows  median {100 * numpy.median(off):5.1f} %  P90 {100 * numpy.percentile(off, 90):5.1f} %"
            f"  bias {100 * numpy.median(errors):+6.1f} %")


def beyond(measured: list, fitted: dict) -> None:
    """Rows that no constant was fitted to: other machines, and several servers. As the simulator answers today, with the
    start that makes the source's smallest rows right on average (one number a source)."""
    print("rows beside the fit, as the simulator answers now")
    by_source = collections.defaultdict(list)
    for row in measured:
        if row.one_domain and row.gpu in fitted:
            continue
        where = "one domain" if row.one_domain else "several servers"
        by_source[f"{row.source}, {where}, {row.op}"].append(row)
    for source, found in sorted(by_source.items()):
        small = [row.seconds - row.answer for row in found if row.bytes <= 65536]
        start = max(0.0, float(numpy.median(small))) if small else 0.0
        off = [(row.answer + start) / row.seconds - 1 for row in found]
        print(line(source, off) + f"  start + {start * 1e6:.0f} us")


def errors(measured: list, fitted: dict) -> None:
    print("error by source, in one domain, with the source's own start")
    by_source = collections.defaultdict(list)
    by_kind = collections.defaultdict(list)
    left_out = collections.defaultdict(list)
    for row in measured:
        if not row.one_domain or row.gpu not in fitted:
            continue
        fit = fitted[row.gpu]
        if row.row not in fit.rows:
            continue
        error = fit.seconds(row) / row.seconds - 1
        by_source[row.source].append(error)
        by_kind[f"{row.gpu} {row.op} {row.row}"].append(error)
        others = [each for gpu, each in fitted.items() if gpu != row.gpu]
        if others:
            mean = collectives.mean_of(others)
            if row.row in mean.rows:
                left_out[row.gpu].append(mean.seconds(row, fit.start[row.source]) / row.seconds - 1)
    for source, found in sorted(by_source.items()):
        print(line(source, found))
    print("by operation and protocol")
    for kind, found in sorted(by_kind.items()):
        print(line(kind, found))
    beyond(measured, fitted)
    print("of a machine with the constants of the others, its start known")
    for gpu, found in sorted(left_out.items()):
        print(line(gpu, found))
