"""Rows of single kernels as questions for `rehearse operator --batch`."""
import pathlib

from . import names
from .row import OPERATOR, Row

# Bytes moved over those of an input of m x k elements of 2 bytes: mlp_act reads gate and up and writes half of that.
ELEMENTWISE = {"add": 3.0, "input_layernorm": 2.0, "post_attention_layernorm": 2.0, "mlp_act": 1.5}
NO_KIND = {
    "attention_bwd": "no backward passes", "mla_sparse_decode": "no sparse attention", "mla_sparse_prefill": "no sparse attention",
    "grouped_gemm": "one product of experts alone", "latency": "no operator",
    "stream_add": "states no shape", "stream_copy": "states no shape", "stream_dot": "states no shape",
    "stream_mul": "states no shape", "stream_triad": "states no shape",
}


def whole(text: str) -> str:
    """A count as a cell, empty where it is none."""
    value = names.number(text)
    return str(int(value)) if value > 0 and value == int(value) else ""


class Unscored(Exception):
    """Why a row cannot be a question."""


def needed(**cells: str) -> dict[str, str]:
    if not all(cells.values()):
        raise Unscored("states no shape")
    return cells


def dtype_of(text: str) -> str:
    if text not in names.DTYPES:
        raise Unscored(f"type {text}: none of the simulator's")
    return names.DTYPES[text]


def gemm(row: dict) -> tuple[str, dict]:
    dtype = dtype_of(row["dtype"])
    cells = needed(m=whole(row["m"]), n=whole(row["n"]), k=whole(row["k"]))
    return f"gemm.{names.family_dtype(dtype)}", {"kind": "gemm", "dtype": dtype} | cells


def prefill(row: dict) -> tuple[str, dict]:
    cells = needed(batch=whole(row["batch"]), heads=whole(row["heads"]), head_dim=whole(row["head_dim"]), tokens=whole(row["seq_q"]))
    if row["seq_kv"] != row["seq_q"]:
        raise Unscored("a prompt behind a prefix")
    cells |= {"kv_heads": whole(row["kv_heads"]), "causal": row["causal"], "dtype": dtype_of(row["dtype"])}
    return "attention_prefill", {"kind": "attention_prefill"} | cells


def decode(row: dict) -> tuple[str, dict]:
    cells = needed(batch=whole(row["batch"]), heads=whole(row["heads"]), head_dim=whole(row["head_dim"]),
                   context=whole(row["seq_kv"]), kv_heads=whole(row["kv_heads"]))
    which = "1_kv_head" if cells["kv_heads"] == "1" else "2_kv_heads_up"
    return f"attention_decode.{which}", {"kind": "attention_decode", "dtype": dtype_of(row["dtype"])} | cells


def mla(row: dict) -> tuple[str, dict]:
    prompt = row["op"] == "mla_prefill"
    length = {"tokens" if prompt else "context": whole(row["seq_q" if prompt else "seq_kv"])}
    cells = needed(batch=whole(row["batch"]), heads=whole(row["heads"]), **length)
    return row["op"], {"kind": row["op"], "dtype": dtype_of(row["dtype"])} | cells


def moe(row: dict) -> tuple[str, dict]:
    if row["distribution"] != "balanced":
        raise Unscored("experts loaded unevenly, by how much is not stated")
    dtype = dtype_of(row["dtype"])
    width = names.number(row["inter"]) / max(1.0, names.number(row["moe_tp"]))
    cells = needed(tokens=whole(row["tokens"]), hidden=whole(row["hidden"]), ffn=whole(str(width)), experts=whole(row["groups"]),
                   top_k=whole(row["topk"]), ep=whole(row["moe_ep"]))
    return f"moe.{names.family_dtype(dtype)}", {"kind": "moe", "dtype": dtype} | cells


def elementwise(row: dict) -> tuple[str, dict]:
    cells = needed(m=whole(row["m"]), k=whole(row["k"]))
    moved = int(cells["m"]) * int(cells["k"]) * 2 * ELEMENTWISE[row["op"]]
    return "elementwise", {"kind": "elementwise", "bytes": str(int(moved))}


def moved(row: dict) -> tuple[str, dict]:
    """The same by the bytes that it moves."""
    return "elementwise", {"kind": "elementwise"} | needed(bytes=whole(row["bytes"]))


KINDS = {"moved": moved, "gemm": gemm, "attention_prefill": prefill, "attention_fwd": prefill, "attention_decode": decode, "mla_prefill": mla,
         "mla_decode": mla, "moe_grouped_gemm": moe} | {name: elementwise for name in ELEMENTWISE}


def seconds_of(row: dict) -> float:
    """Its time; that of attention also from its rate: papers count 4 x batch x heads x tokens^2 x head_dim, half of it
    where it is causal."""
    if names.number(row["time_us"]) > 0:
        return names.number(row["time_us"]) * 1e-6
    if row["op"] != "attention_fwd" or names.number(row["tflops"]) <= 0:
        raise Unscored("states no time")
    flops = 4 * names.number(row["batch"]) * names.number(row["heads"]) * names.number(row["seq_q"]) ** 2 * names.number(row["head_dim"])
    return flops * (0.5 if row["causal"] == "1" else 1.0) / (names.number(row["tflops"]) * 1e12)


def question_of(row: dict, file: str) -> Row:
    found = Row(file, row["id"], *names.source_of(row["source"], row["hw"]), kind=OPERATOR)
    try:
        if row["confidence"] == "from-memory":
            raise Unscored("from memory, not from a source")
        if "L2-RESIDENT" in row["notes"] or names.number(row["pct_hbm"]) > 100:
            raise Unscored("faster than its memory: measured in a warm L2")
        if row["op"] not in KINDS:
            raise Unscored(NO_KIND.get(row["op"], f"no operator {row['op']}"))
        if row["hw"] not in names.GPUS:
            raise Unscored(f"GPU {row['hw']}: not in the catalogue")
        found.family, cells = KINDS[row["op"]](row)
        found.gpu = names.GPUS[row["hw"]]
        found.question = {"gpu": found.gpu} | {name: value for name, value in cells.items() if value}
        found.measured = seconds_of(row)
    except Unscored as why:
        found.reason = str(why)
    return found


EMPTY = dict.fromkeys(("id", "confidence", "hw", "source", "op", "dtype", "m", "n", "k", "groups", "topk", "tokens", "hidden",
                       "inter", "moe_tp", "moe_ep", "distribution", "batch", "heads", "kv_heads", "head_dim", "seq_q", "seq_kv",
                       "causal", "bytes", "time_us", "tflops", "pct_hbm", "notes"), "")


def bulk_rows(folder: pathlib.Path) -> list[tuple[str, dict]]:
    """The larger tables, with the columns of kernels.csv."""
    bandwidth = {row["hw"]: names.number(row["hbm_GBs"]) for row in names.table(folder / "hardware.csv")}
    models = {row["model"]: row for row in names.table(folder / "models.csv")}

    def share(row: dict, rate: str) -> str:
        most = bandwidth.get(row["system"], 0.0)
        return str(100 * names.number(rate) / most) if most else ""

    found = []
    for row in names.table(folder / "bulk" / "aic_gemm_subset.csv"):
        found.append(("aic_gemm_subset.csv", EMPTY | {
            "op": "gemm", "hw": row["system"], "id": f"{row['dtype']} {row['m']} x {row['n']} x {row['k']}",
            "pct_hbm": share(row, row["gbs"])} | {name: row[name] for name in ("dtype", "m", "n", "k", "time_us", "source")}))
    for row in names.table(folder / "bulk" / "aic_attention_subset.csv"):
        prompt = row["phase"] == "context"
        shape = {name: row[name] for name in ("batch", "heads", "kv_heads", "head_dim", "seq_q", "seq_kv", "time_us", "source")}
        found.append(("aic_attention_subset.csv", EMPTY | {
            "op": "attention_prefill" if prompt else "attention_decode", "hw": row["system"], "dtype": "bf16", "causal": "1",
            "id": f"{row['phase']} batch {row['batch']} heads {row['heads']}/{row['kv_heads']} length {row['seq_kv']}",
            "pct_hbm": share(row, row["kv_gbs"])} | shape))
    for row in names.table(folder / "bulk" / "aic_moe_subset.csv"):
        model = models.get(row["model"], {})
        found.append(("aic_moe_subset.csv", EMPTY | {
            "op": "moe_grouped_gemm", "hw": row["system"], "groups": model.get("experts", ""), "topk": model.get("topk", ""),
            "hidden": model.get("hidden", ""), "inter": model.get("moe_ffn", ""),
            "id": f"{row['model']} {row['dtype']} tokens {row['tokens']} tp {row['moe_tp']} ep {row['moe_ep']}",
        } | {name: row[name] for name in ("dtype", "tokens", "moe_tp", "moe_ep", "distribution", "time_us", "source")}))
    return found


def questions(folder: pathlib.Path) -> list[Row]:
    rows = [("kernels.csv", row) for row in names.table(folder / "kernels.csv")] + bulk_rows(folder)
    return [question_of(row, file) for file, row in rows]
