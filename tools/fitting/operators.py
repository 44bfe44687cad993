"""The constants of kernels on a device: a start, shares of its peak and of its memory's bandwidth, a depth.

  seconds = starts + before / memory + sum of sqrt((compute / share)^2 + (memory / share)^2 + (depth x k)^2)

The simulator says what each measured row demands of the device (rehearse operator --batch --terms), so the fit has its
shapes, and no second copy of them. Robust least squares of the logarithm of predicted over measured. What is fitted to
is cold, because a model's weights and caches are: larger than the device's last cache, or of so few bytes that it does not
matter. Errors are printed of all rows.
"""
import csv
import dataclasses
import pathlib
import subprocess
import tempfile

import numpy
from scipy.optimize import least_squares

from . import rows

# Last cache, bytes, of the vendors' data sheets (A100 40 MB, H100 and H200 50 MB, GB200 126 MB, L40S 96 MB).
CACHE = {"a100": 40e6, "h100": 50e6, "h200": 50e6, "gb200-nvl72": 126e6, "l40s": 96e6}
BANDWIDTH = {"a100": 2.039e12, "h100": 3.35e12, "h200": 4.8e12, "gb200-nvl72": 8e12, "l40s": 0.864e12}  # as in their files
COMPUTE_BOUND = ("attention_prefill", "mla_prefill", "mla_decode")
HIDDEN = 0.5  # share of a row's time below which it does not matter where its bytes come from

# What a row of constants may have: where its fit starts and its bounds. Microseconds; of depth nanoseconds.
FREE = {"launch": (5.0, 0.0, 200.0), "compute": (0.6, 0.02, 1.5), "memory": (0.8, 0.05, 1.5), "depth": (0.3, 0.0, 10.0)}
FIELDS = tuple(FREE)
FEWEST = 12  # measured rows that constants are fitted to at least


@dataclasses.dataclass
class Row:
    source: str
    gpu: str
    cells: dict[str, str]  # of the question
    seconds: float
    cold: bool = True
    row: str = ""          # the simulator's answer, from here on
    others: float = 0.0    # seconds of kernels that other rows price
    kernels: int = 0
    compute: tuple = (0.0, 0.0)
    memory: tuple = (0.0, 0.0)
    before: float = 0.0
    depth: float = 0.0
    answer: float = 0.0


DTYPES = {"bf16": "bf16", "bfloat16": "bf16", "fp16": "fp16", "fp8": "fp8", "fp8-block": "fp8_block", "fp8_block": "fp8_block",
          "nvfp4": "nvfp4", "int8": "int8", "w4a16_mxfp4": "mxfp4", "w4a8_mxfp4_mxfp8": "mxfp4_fp8"}
MODELS = {"Mixtral-8x7B": (4096, 14336, 8, 2), "Qwen3-30B-A3B": (2048, 768, 128, 8), "DeepSeek-V3": (7168, 2048, 256, 8),
          "GPT-OSS-120B": (2880, 2880, 128, 4)}  # hidden, columns of an expert, experts, of a token: as the source has them


def read(path: pathlib.Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


def gemms(folder: pathlib.Path) -> list[Row]:
    found = []
    for each in read(folder / "bulk" / "aic_gemm_subset.csv"):
        if each["system"] in rows.GPUS and each["dtype"] in DTYPES:
            cells = {"kind": "gemm", "dtype": DTYPES[each["dtype"]], **{key: each[key] for key in "mnk"}}
            found.append(Row("aiconfigurator", rows.GPUS[each["system"]], cells, float(each["time_us"]) * 1e-6))
    return found


def attention(folder: pathlib.Path) -> list[Row]:
    found = []
    for each in read(folder / "bulk" / "aic_attention_subset.csv"):
        if each["system"] not in rows.GPUS:
            continue
        cells = {"dtype": "bf16", **{key: each[key] for key in ("batch", "heads", "kv_heads", "head_dim")}}
        if each["phase"] == "context":
            cells |= {"kind": "attention_prefill", "tokens": each["seq_q"]}
        else:
            cells |= {"kind": "attention_decode", "context": each["seq_kv"]}
        found.append(Row("aiconfigurator", rows.GPUS[each["system"]], cells, float(each["time_us"]) * 1e-6))
    for each in read(folder / "kernels.csv"):
        if not each["op"] in ("mla_prefill", "mla_decode") or each["hw"] not in rows.GPUS or not each["source"].startswith("ai-"):
            continue
        cells = {"kind": each["op"], "dtype": "bf16", "batch": each["batch"], "heads": each["heads"]}
        cells["tokens" if each["op"] == "mla_prefill" else "context"] = each["seq_kv"]
        found.append(Row("aiconfigurator", rows.GPUS[each["hw"]], cells, float(each["time_us"]) * 1e-6))
    return found


def experts(folder: pathlib.Path) -> list[Row]:
    """Balanced ones: of others the source has the busiest rank's time, and not its load."""
    found = []
    for each in read(folder / "bulk" / "aic_moe_subset.csv"):
        if each["system"] not in rows.GPUS or each["dtype"] not in DTYPES or each["distribution"] != "balanced":
            continue
        hidden, ffn, count, top_k = MODELS[each["model"]]
        cells = {"kind": "moe", "dtype": DTYPES[each["dtype"]], "tokens": each["tokens"], "hidden": str(hidden),
                 "ffn": str(ffn // int(each["moe_tp"])), "experts": str(count), "top_k": str(top_k), "ep": each["moe_ep"]}
        found.append(Row("aiconfigurator", rows.GPUS[each["system"]], cells, float(each["time_us"]) * 1e-6))
    return found


def own(root: pathlib.Path) -> list[Row]:
    """This project's own (platforms/measured): what no published table has, and the GPUs that none has."""
    found = []
    folder = root / "platforms" / "measured"
    for gpu in ("h100", "h200"):
        for each in read(folder / f"{gpu}-sampling.csv"):
            if each["graph"] == "1" and each["kind"] == "argmax":  # of 32 bits there
                cells = {"kind": "sampling", "bytes": str(float(each["bytes"]) / 2)}
                found.append(Row("own", gpu, cells, float(each["time_us"]) * 1e-6))
        for each in read(folder / f"{gpu}-elementwise.csv"):
            if each["graph"] == "1" and each["source"] == "triton" and each["cold"] == "1":
                found.append(Row("own", gpu, {"kind": "elementwise", "bytes": each["bytes"]}, float(each["time_us"]) * 1e-6))
        for each in read(folder / f"{gpu}-gemm.csv"):
            static = each["source"] == "torch._scaled_mm per tensor"
            if each["graph"] != "1" or each["kind"] != "gemm" or each["batch"] or not (static or (gpu == "h200" and each["dtype"] == "bf16")):
                continue  # those of the H100 in 16 bits are published
            cells = {"kind": "gemm", "dtype": "fp8_static" if static else "bf16", **{key: each[key] for key in "mnk"}}
            found.append(Row("own", gpu, cells, float(each["time_us"]) * 1e-6))
    return found


def measured(folder: pathlib.Path, root: pathlib.Path) -> list[Row]:
    found = gemms(folder) + attention(folder) + experts(folder) + own(root)
    return [row for row in found if row.gpu in CACHE]


COLUMNS = ("kind", "gpu", "dtype", "m", "n", "k", "tokens", "hidden", "ffn", "experts", "top_k", "ep", "batch", "context", "heads",
           "kv_heads", "head_dim", "bytes")


def with_terms(found: list[Row], binary: str) -> list[Row]:
    """The rows that the simulator can price, with what it says of them."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for row in found:
            writer.writerow(row.cells | {"gpu": row.gpu})
        file.flush()
        answer = subprocess.run([binary, "operator", "--batch", file.name, "--terms"], check=True, capture_output=True, text=True)
    priced = []
    for row, said in zip(found, csv.DictReader(answer.stdout.splitlines()), strict=True):
        if not said["time_s"]:
            continue
        row.answer, row.row = float(said["time_s"]), said["row"]
        row.others, row.kernels = float(said["others_s"]), int(said["kernels"])
        row.compute = (float(said["compute_s"]), float(said["compute2_s"]))
        row.memory = (float(said["memory_s"]), float(said["memory2_s"]))
        row.before, row.depth = float(said["before_s"]), float(said["depth"])
        cached = sum(row.memory) * BANDWIDTH[row.gpu] < CACHE[row.gpu] and sum(row.memory) > HIDDEN * row.seconds
        # With one head of keys the kernels cut a sequence into parts by a rule of their own.
        row.cold = not (cached and row.row not in COMPUTE_BOUND) and row.cells.get("kv_heads") != "1"
        priced.append(row)
    return priced


@dataclasses.dataclass
class Terms:
    """Columns of all rows of one fit."""
    others: numpy.ndarray
    kernels: numpy.ndarray
    compute: numpy.ndarray
    memory: numpy.ndarray
    before: numpy.ndarray
    depth: numpy.ndarray
    seconds: numpy.ndarray

    @staticmethod
    def of(found: list[Row]) -> "Terms":
        return Terms(numpy.array([row.others for row in found]), numpy.array([row.kernels for row in found]),
                     numpy.array([row.compute for row in found]).T, numpy.array([row.memory for row in found]).T,
                     numpy.array([row.before for row in found]), numpy.array([row.depth for row in found]),
                     numpy.array([row.seconds for row in found]))

    def predicted(self, launch: float, compute: float, memory: float, depth: float) -> numpy.ndarray:
        walk = self.depth * depth * 1e-9
        products = [numpy.sqrt((self.compute[at] / compute) ** 2 + (self.memory[at] / memory) ** 2 + (walk ** 2 if at == 0 else 0))
                    for at in (0, 1)]
        return self.others + self.kernels * launch * 1e-6 + self.before / memory + products[0] + products[1]


@dataclasses.dataclass
class Fit:
    constants: dict[str, float]
    rows: int
    errors: numpy.ndarray  # of all rows of the device, relative


def fit(found: list[Row]) -> Fit:
    cold = Terms.of([row for row in found if row.cold])
    everything = Terms.of(found)
    free = [name for name in FIELDS if name in ("launch", "memory")
            or (name == "compute" and cold.compute[0].any() and found[0].row != "attention_decode")
            or (name == "depth" and cold.depth.any())]

    def constants(x):
        given = dict(zip(free, x))
        return [given.get("launch"), given.get("compute", 1.0), given.get("memory"), given.get("depth", 0.0)]

    def residuals(x):
        return numpy.log(cold.predicted(*constants(x)) / cold.seconds)

    start, low, high = zip(*(FREE[name] for name in free))
    best = least_squares(residuals, start, bounds=(low, high), loss="soft_l1", f_scale=0.05, x_scale=numpy.maximum(start, 0.1))
    errors = everything.predicted(*constants(best.x)) / everything.seconds - 1
    return Fit(dict(zip(free, best.x)), int(len(cold.seconds)), errors)


def fit_all(found: list[Row]) -> dict[str, dict[str, Fit]]:
    """By GPU and row of constants."""
    sorted_rows: dict[tuple[str, str], list[Row]] = {}
    for row in found:
        sorted_rows.setdefault((row.gpu, row.row), []).append(row)
    fits: dict[str, dict[str, Fit]] = {}
    for (gpu, name), group in sorted(sorted_rows.items()):
        if sum(row.cold for row in group) >= FEWEST:
            fits.setdefault(gpu, {})[name] = fit(group)
    return fits


def mean_of(fits: list[dict[str, Fit]]) -> dict[str, dict[str, float]]:
    """What a GPU without measurements is taken to reach: the mean of those that have the row."""
    names = sorted({name for each in fits for name in each})
    means = {}
    for name in names:
        having = [each[name].constants for each in fits if name in each]
        means[name] = {field: float(numpy.mean([row[field] for row in having])) for field in having[0]}
    return means


def left_out(found: list[Row], fits: dict[str, dict[str, Fit]]) -> dict[str, dict[str, numpy.ndarray]]:
    """Errors of each device with the mean constants of the others."""
    errors: dict[str, dict[str, numpy.ndarray]] = {}
    for gpu in fits:
        means = mean_of([each for other, each in fits.items() if other != gpu])
        for name in fits[gpu]:
            if name not in means:
                continue
            terms = Terms.of([row for row in found if row.gpu == gpu and row.row == name])
            given = means[name]
            predicted = terms.predicted(given["launch"], given.get("compute", 1.0), given["memory"], given.get("depth", 0.0))
            errors.setdefault(gpu, {})[name] = predicted / terms.seconds - 1
    return errors


def report(found: list[Row], fits: dict[str, dict[str, Fit]]) -> None:
    without = left_out(found, fits)
    families: dict[str, list] = {}
    for gpu, of_gpu in fits.items():
        for name, each in of_gpu.items():
            off = numpy.abs(each.errors)
            numbers = "  ".join(f"{field} {value:.3g}" for field, value in each.constants.items())
            other = without.get(gpu, {}).get(name)
            beside = "" if other is None else (f"  left out {100 * numpy.median(numpy.abs(other)):5.1f} / "
                                               f"{100 * numpy.percentile(numpy.abs(other), 90):5.1f} %")
            print(f"{gpu:12} {name:18} {len(off):5} rows  median {100 * numpy.median(off):5.1f} %  "
                  f"P90 {100 * numpy.percentile(off, 90):5.1f} %  bias {100 * numpy.median(each.errors):+5.1f} %{beside}  {numbers}")
            families.setdefault(name, []).extend(off)
            if "." in name:
                families.setdefault(name.split(".")[0], []).extend(off)
            if name.startswith("moe.") and name != "moe.nvfp4":
                families.setdefault("moe without nvfp4", []).extend(off)
    for gpu, of_gpu in fits.items():
        for name in of_gpu:
            if name == "attention_decode":
                heads = [row.cells["kv_heads"] for row in found if row.gpu == gpu and row.row == name]
                families.setdefault("attention_decode, 2 heads of keys or more", []).extend(
                    off for off, of in zip(numpy.abs(of_gpu[name].errors), heads, strict=True) if of != "1")
    for name, off in sorted(families.items()):
        print(f"{'all':12} {name:18} {len(off):5} rows  median {100 * numpy.median(off):5.1f} %  P90 {100 * numpy.percentile(off, 90):5.1f} %")
