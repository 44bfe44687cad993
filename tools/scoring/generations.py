"""Rows of whole generations as plans for `rehearse run`.

A static batch is a plan as it is. Serving in a closed loop at a fixed concurrency has no command yet; its time per token
is a formula of two of the simulator's own numbers (simulator.py): t = decode(b) + prefill(input) x b / prompts / output,
where b is what fits of the concurrency."""
import pathlib

from . import models, names
from .row import SERVING, STATIC, Row

STATIC_MODES = ("static", "static (inflight off)")
NOT_STATIC = {"disagg": "prefill and decode apart", "disagg-prefill": "prefill and decode apart", "disagg-decode": "prefill and decode apart",
              "": "not a measurement of one batch"}
# TensorRT-LLM of before 1.0 keeps the cache in fp8 with fp8 weights: docs/source/performance.md builds with --fp8_kv_cache.
FP8_CACHE = ("TensorRT-LLM 0.5",)


class Unscored(Exception):
    """Why a row cannot be a question."""


def degree(row: dict, column: str) -> int:
    return max(1, int(names.number(row.get(column))))


def layout_of(row: dict) -> str:
    """The layout of a plan: engines' attention data parallelism and experts apart have no row that could be scored."""
    tensor, pipeline, data = degree(row, "tp"), degree(row, "pp"), degree(row, "attn_dp")
    if data > 1:
        raise Unscored("attention data-parallel inside of an engine")
    if names.number(row["n_gpus"]) and tensor * pipeline != int(names.number(row["n_gpus"])):
        raise Unscored("layout: not stated whole")
    if models.count(row, "experts") and degree(row, "ep") > 1:
        raise Unscored("experts over the tensor ranks")
    return f"layout {{ tensor: {tensor} pipeline: {pipeline} }}"


def common(row: dict, file: str, kind: str) -> Row:
    found = Row(file, row["id"], *names.source_of(row["source"], row["hw"]), kind=kind)
    if row["confidence"] == "from-memory":
        raise Unscored("from memory, not from a source")
    if row["hw"] not in names.GPUS:
        raise Unscored(f"GPU {row['hw']}: not in the catalogue")
    found.gpu = names.GPUS[row["hw"]]
    precision, framework = row["precision"], row["framework"]
    cache = row["kv_precision"] or ("fp8" if framework in FP8_CACHE and precision == "fp8" else "")
    gpus = degree(row, "tp") * degree(row, "pp")
    found.question = {
        "model": models.model_text(row, precision, cache, "weight-only" in row["notes"]), "gpu": found.gpu, "gpus": gpus,
        "layout": layout_of(row), "nic_gbps": row["nic_Gbps_per_gpu"], "engine": names.engine_of(framework),
    }
    return found


def static_quantity(row: dict) -> tuple[str, float]:
    """What of a result the row states, and how many seconds."""
    batch, output = names.number(row["batch"]), names.number(row["osl"])
    if row["phase"] == "prefill" and names.number(row["ttft_ms"]):
        return "ttft", names.number(row["ttft_ms"]) * 1e-3
    if names.number(row["e2e_ms"]):
        return "e2e", names.number(row["e2e_ms"]) * 1e-3
    if names.number(row["tpot_ms"]):
        return "tpot", names.number(row["tpot_ms"]) * 1e-3
    if names.number(row["out_tok_s"]) and batch and output:
        return "e2e", batch * output / names.number(row["out_tok_s"])
    raise Unscored("states no time")


def static_row(row: dict) -> Row:
    found = common(row, "inference.csv", STATIC)
    quantity, found.measured = static_quantity(row)
    prompt, batch = int(names.number(row["isl"])), int(names.number(row["batch"]))
    if not batch or (not prompt and quantity != "tpot"):
        raise Unscored("states no batch")
    found.family = f"static.{names.engine_of(row['framework'])}"
    # Where the prompt is not stated the time per token is that behind the shortest.
    found.question |= {"sequences": batch, "prompt": max(1, prompt), "output": max(1, int(names.number(row["osl"]))), "quantity": quantity}
    return found


def serving_row(row: dict, file: str) -> Row:
    found = common(row, file, SERVING)
    concurrency = int(names.number(row["concurrency"]))
    if not concurrency or not names.number(row["tpot_ms"]) or not names.number(row["osl"]):
        raise Unscored("states no concurrency")
    found.measured = names.number(row["tpot_ms"]) * 1e-3
    found.family = f"serving_tpot.{names.engine_of(row['framework'])}"
    found.question |= {"sequences": concurrency, "prompt": int(names.number(row["isl"])), "output": int(names.number(row["osl"])),
                       "quantity": "tpot"}
    return found


def question_of(row: dict, file: str) -> Row:
    try:
        if row["mode"] in STATIC_MODES:
            return static_row(row)
        if row["mode"] == "agg":
            return serving_row(row, file)
        raise Unscored(NOT_STATIC.get(row["mode"], "no continuous batching"))
    except (Unscored, models.Unscored) as why:
        return Row(file, row["id"], *names.source_of(row["source"], row["hw"]), reason=str(why))


def silicon_rows(folder: pathlib.Path) -> list[tuple[str, dict]]:
    """The larger table of serving, with the columns of inference.csv."""
    file = "inference_silicon_full.csv"
    dimensions = {row["model"]: row for row in names.table(folder / "models.csv")}
    nics = {row["hw"]: row["nic_Gbps_per_gpu"] for row in names.table(folder / "hardware.csv")}
    found = []
    for row in names.table(folder / "bulk" / file):
        found.append((file, dimensions.get(row["model"], {"attn": "unknown"}) | {
            "id": row["id"], "model": row["model"], "confidence": "", "source": "ai-dynamo/aiconfigurator silicon", "hw": row["hw"],
            "n_gpus": row["n_gpus"], "mode": row["mode"], "framework": f"{row['backend']} {row['backend_version']}".strip(),
            "precision": row["precision"], "kv_precision": "", "notes": "", "tp": row["tp_size"], "pp": row["pp_size"],
            "ep": row["moe_ep_size"], "attn_dp": row["attention_dp_size"], "nic_Gbps_per_gpu": nics.get(row["hw"], ""),
            "concurrency": row["concurrency"], "isl": row["isl"], "osl": row["osl"], "tpot_ms": row["silicon_tpot_ms"]}))
    return found


def questions(folder: pathlib.Path) -> list[Row]:
    rows = [("inference.csv", row) for row in names.table(folder / "inference.csv")] + silicon_rows(folder)
    found = [question_of(row, file) for file, row in rows]
    training = names.table(folder / "training.csv")
    return found + [Row("training.csv", row["id"], *names.source_of(row["source"], row["hw"]), reason="no training") for row in training]
