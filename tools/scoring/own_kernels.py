"""Kernels that this project measured (platforms/measured/*.csv) as questions for `rehearse operator --batch`."""
import pathlib

from . import names
from .kernels import EMPTY, Unscored, question_of
from .row import Row

FOLDER = "platforms/measured"
GPUS = {"NVIDIA H100 80GB HBM3": "H100-SXM-80", "NVIDIA H200": "H200-SXM-141"}
ELEMENTWISE = ("add", "add_rmsnorm", "copy", "gelu", "layernorm", "rmsnorm", "rope", "silu_and_mul")
DTYPES = {"bf16": "bf16", "int8>int32": "int8"}
STATIC = "torch._scaled_mm per tensor"  # in FP8, of inputs that were quantised before
KINDS = {"gemm": "gemm", "gemm_m_steps": "gemm", "attn_prefill_causal": "attention_prefill", "attn_decode": "attention_decode"}


def as_kernel(row: dict, file: str) -> dict:
    """With the columns of kernels.csv. Throws Unscored: a kind that has no operator, or one in a warm cache."""
    kind = KINDS.get(row["kind"], row["kind"])
    if kind not in KINDS.values() and kind not in ELEMENTWISE:
        raise Unscored("part of an operator, or none")
    if row["graph"] != "1" or (row["cold"] != "1" and kind != "attention_prefill"):
        raise Unscored("started by the host, or in a warm L2")
    # Kernels of one operator by several libraries stand in one table: an engine runs the fastest.
    shape = EMPTY | {"op": kind, "hw": GPUS.get(row["gpu"], row["gpu"]), "id": f"{row['kind']} {row['source']}",
                     "source": f"{FOLDER} {file} {row['kind']} {row['run']}", "time_us": row["time_us"]}
    if kind == "gemm":
        dtype = "fp8_static" if row["source"] == STATIC else DTYPES.get(row["dtype"])
        if dtype is None:
            raise Unscored("a product alone, without the quantization of its input")
        return shape | {"dtype": dtype} | {name: row[name] for name in ("m", "n", "k")}
    if kind in ELEMENTWISE:
        return shape | {"op": "moved", "bytes": row["bytes"]}
    if "head dim" in row["note"]:
        raise Unscored("keys and values of different widths")
    length = row["tokens"] if kind == "attention_prefill" else row["context"]
    return shape | {"dtype": row["dtype"], "seq_q": length, "seq_kv": length, "causal": "1"} | {
        name: row[name] for name in ("batch", "heads", "kv_heads", "head_dim")}


def questions(folder: pathlib.Path) -> list[Row]:
    found = []
    for path in sorted(folder.glob("*.csv")):
        for row in names.table(path):
            if not {"gpu", "graph", "cold", "kind"} <= set(row):
                continue  # no kernels alone, or nobody said how
            try:
                found.append(question_of(as_kernel(row, path.name), f"{FOLDER}/{path.name}"))
            except Unscored as why:
                found.append(Row(f"{FOLDER}/{path.name}", row["kind"], *names.source_of(FOLDER, GPUS.get(row["gpu"], "")),
                                 reason=str(why)))
    return found
