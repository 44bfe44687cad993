"""tests/accuracy/README.md, and the same in short for the terminal."""
import collections
import pathlib

from . import causes, errors, orders, recorded
from .row import STATIC, Row
from .table import families

FOLDER = pathlib.Path("tests", "accuracy")
PLOT = "scatter.svg"
WORST = 3
# What a row of a group is asked as, and what its families are told apart by.
GROUPS = {
    "gemm": "matrix products, by type (bf16 and fp16 together); 2 m n k FLOP",
    "attention_prefill": "attention of prompts, causal or not",
    "attention_decode": "attention of one new token, by KV heads on the GPU",
    "mla_prefill": "multi-head latent attention of prompts",
    "mla_decode": "multi-head latent attention of one new token",
    "moe": "fused mixture of experts (routing, both products, sums), evenly loaded, by type",
    "elementwise": "norms, activations, additions",
    "nccl": "NCCL, in one scale-up domain or over several servers",
    "vllm": "vLLM's own all-reduce", "sglang": "SGLang's own all-reduce", "tensorrt_llm": "TensorRT-LLM's own all-reduce",
    "deepep_normal": "DeepEP's normal dispatch and combine", "deepep_low_latency": "DeepEP's low-latency dispatch and combine",
    "static": "a static batch: whole generation, or TTFT, or time per token, as the source has it; by engine, whose time per operator (tools/fit) is fitted to these rows",
    "serving_tpot": "mean time per token of requests that arrive (tools/scoring/services.py), by engine, whose times (tools/fit) are fitted to these rows",
    "serving_ttft": "mean TTFT of the same runs: queueing, what clients and front ends take, and how a source begins, are in it",
    "offered_tpot": "mean time per token at an offered rate (tests/accuracy/offered_rates.csv): how lengths vary is not in the logs, and at rates near what a machine can do a small error of a step is a large one of the queue",
    "offered_ttft": "mean TTFT of the same",
    "serving_throughput": "what an output token takes of a GPU: TensorRT-LLM's tables of all requests at once, and NIM's closed loops",
}
# What has to hold: label, which rows, most of the median and of P90.
LIMITS = (
    ("GEMM, all types", lambda row: row.group == "gemm", 0.09, 0.28),
    ("GEMM, bf16", lambda row: row.family == "gemm.bf16", 0.07, None),
    ("attention, prefill", lambda row: row.group == "attention_prefill", 0.12, 0.40),
    ("attention, decode, 2 and more KV heads", lambda row: row.family == "attention_decode.2_kv_heads_up", 0.07, 0.20),
    ("fused MoE without nvfp4", lambda row: row.group == "moe" and row.family != "moe.nvfp4", 0.10, 0.40),
    ("static inference", lambda row: row.group == "static", 0.10, 0.30),
    ("serving, time per token", lambda row: row.group == "serving_tpot", 0.14, None),
    ("serving, throughput", lambda row: row.group == "serving_throughput", 0.15, None),
)
ORDER_LIMIT = 0.98


def percent(value: float, sign: bool = False) -> str:
    return f"{100 * value:+.1f}" if sign else f"{100 * value:.1f}"


def seconds(value: float) -> str:
    for factor, unit in ((1e6, "us"), (1e3, "ms")):
        if value * factor < 1000:
            return f"{value * factor:.3g} {unit}"
    return f"{value:.3g} s"


def cells(found: errors.Summary | None) -> str:
    return f"{found.rows} | {percent(found.median)} | {percent(found.p90)} | {percent(found.bias, True)}" if found else "0 | | |"


def table(head: str, lines: list[str]) -> list[str]:
    columns = head.count("|") + 1
    return [f"| {head} |", "|" + "---|" * columns] + [f"| {line} |" for line in lines] + [""]


def held(rows: list[Row]) -> list[str]:
    lines = []
    for label, of_it, median, p90 in LIMITS:
        found = errors.summary([row for row in rows if row.scored and row.published and of_it(row)])
        limit = f"{percent(median)} / {percent(p90)}" if p90 else percent(median)
        kept = found and found.median <= median and (p90 is None or found.p90 <= p90)
        lines.append(f"{label} | {cells(found)} | {limit} | {('yes' if kept else 'no') if found else 'not scored'}")
    return table("family | rows | median % | P90 % | bias % | at most | holds", lines)


def order_lines(rows: list[Row]) -> list[str]:
    names = {STATIC: "static batches", "serving_tpot": "services, time per token", "serving_ttft": "services, TTFT",
             "serving_throughput": "services, throughput"}
    lines = []
    for kind, found in orders.orders(rows).items():
        share = f"{percent(found.right / found.pairs)}" if found.pairs else ""
        lines.append(f"{names[kind]} | {found.pairs} | {found.right} | {share}")
    return table("layouts of one model and machine | pairs | ordered right | %", lines)


def by_family(rows: list[Row]) -> list[str]:
    lines = []
    for family, found in families(rows).items():
        whole = any(row.family != family for row in found)
        if whole and len({row.family for row in found}) == 1:
            continue  # its only family says the same
        own, others = errors.summary([row for row in found if row.own]), errors.left_out_summary(found)
        side = f"{percent(own.median)} / {percent(own.p90)}" if own else ""
        datasheet = f"{percent(others.median)} / {percent(others.p90)} ({others.rows})" if others else ""
        lines.append(f"{f'**{family}**' if whole else family} | {cells(errors.summary(found))} | {side} | {datasheet}")
    return table("family | rows | median % | P90 % | bias % | calibrated | constants of other GPUs (rows)", lines)


def with_starts(rows: list[Row]) -> list[str]:
    lines = []
    for family, found in errors.by([row for row in rows if row.group == "nccl"], "family").items():
        lines.append(f"{family} | {cells(errors.summary(found))} | {cells(errors.with_starts(found)).split('|', 1)[1].strip()}")
    return table("family | rows | median % | P90 % | bias % | start known: median % | P90 % | bias %", lines)


def by_source(rows: list[Row]) -> list[str]:
    lines = []
    for family, of_family in errors.by(rows, "family").items():
        lines += [f"{family} | {source} | {cells(errors.summary(found))}" for source, found in errors.by(of_family, "source").items()]
    return table("family | source | rows | median % | P90 % | bias %", lines)


def worst_rows(rows: list[Row]) -> list[str]:
    lines = []
    for family, found in errors.by(rows, "family").items():
        for row in errors.worst(found, WORST):
            remark = f" ({row.remark})" if row.remark else ""
            lines.append(f"{family} | {row.name}, {row.source} | {seconds(row.measured)} | {seconds(row.predicted)}{remark} | "
                         f"{percent(row.error, True)} | {causes.cause_of(family, row.gpu)}")
    return table("family | row | measured | predicted | error % | cause", lines)


def not_scored(rows: list[Row]) -> list[str]:
    counts = collections.Counter((row.file, row.reason) for row in rows if not row.scored)
    ordered = sorted(counts.items(), key=lambda each: (each[0][0], -each[1], each[0][1]))
    lines = [f"{file} | {reason} | {count}" for (file, reason), count in ordered]
    return table("file | why not | rows", lines)


def readme(rows: list[Row], runs: list[recorded.Recorded] = ()) -> str:
    scored = [row for row in rows if row.scored]
    legend = [f"- `{group}`: {meaning}" for group, meaning in GROUPS.items() if any(row.group == group for row in scored)]
    lines = [
        "# How far predictions are from published measurements", "",
        "Written by `tools/accuracy ROWS --write`, never by hand; `sim/accuracy/scored_errors.cpp`, from which the program takes the",
        "error that it states beside a number, is written in the same run. Error: |predicted / measured - 1|; bias: the median with its",
        "sign. Each source weighs the same within a family, however many rows it has. No row has a constant of its own.", "",
        f"{len(scored)} of {len(rows)} rows are scored.", "",
        "## What has to hold", "", "On published rows, those of `platforms/measured` left out.", "", *held(rows), *order_lines(rows),
        "## By family", "",
        "Calibrated: the GPU's own constants. Constants of other GPUs: its datasheet with the mean of the other measured GPUs, as if",
        "nobody had measured it, and GPUs of which nobody has; rows whose costs no other GPU has are left out. Median / P90.", "",
        *by_family(rows), *legend, "",
        f"![predicted against measured]({PLOT})", "",
        "## What a start takes", "",
        "What starting a collective takes is a property of a benchmark, not of the GPU. Beside the answers: the same with one number a",
        f"source, which makes its collectives of {errors.SMALL} bytes and less right in the middle. Only to read; the table above has the answers.", "",
        *with_starts(scored),
        *(["## Recorded runs", "", "Every request of a run of vLLM that was recorded, sent again (tools/scoring/recorded.py). Nothing is fitted to them.", "",
           *recorded.lines(runs)] if runs else []),
        "## By source", "", *by_source(scored),
        f"## The {WORST} worst rows of each family", "", *worst_rows(scored),
        "## Rows that are not scored", "", *not_scored(rows)]
    return "\n".join(lines).rstrip() + "\n"


def print_short(rows: list[Row]) -> None:
    for line in held(rows) + order_lines(rows) + by_family(rows):
        print(line)
