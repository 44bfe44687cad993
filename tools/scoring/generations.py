"""Rows of whole generations as plans for `rehearse run`: what a static batch and requests that arrive have in common, and static
batches, which are plans as they are."""
from . import models, names
from .row import STATIC, Row

STATIC_MODES = ("static", "static (inflight off)")
# Their FP8 is ModelOpt's: inputs have a scale that is stored.
STATIC_SCALES = ("tensorrt_llm", "tensorrt_llm_0.5")
# TensorRT-LLM of before 1.0 keeps the cache in fp8 with fp8 weights: docs/source/performance.md builds with --fp8_kv_cache.
FP8_CACHE = ("TensorRT-LLM 0.5",)
SERVER = 8  # GPUs: no source cuts attention over more than one


class Unscored(Exception):
    """Why a row cannot be a question."""


def degree(row: dict, column: str) -> int:
    return max(1, int(names.number(row.get(column))))


def layout_of(row: dict) -> str:
    """The layout of a plan. In some rows the degree of data parallelism is multiplied into another cell: they contradict themselves."""
    tensor, pipeline, data = degree(row, "tp"), degree(row, "pp"), degree(row, "attn_dp")
    gpus = tensor * pipeline * data
    if tensor > SERVER or data > SERVER or (names.number(row["n_gpus"]) and gpus != int(names.number(row["n_gpus"]))):
        raise Unscored("layout: not stated whole, or its cells disagree")
    if not models.count(row, "experts"):
        if data > 1:
            raise Unscored("layout: data parallelism of a dense model inside of an engine")
        return f"layout {{ tensor: {tensor} pipeline: {pipeline} }}"
    apart, cut = degree(row, "ep"), degree(row, "moe_tp")
    if apart == 1 and data == 1:
        return f"layout {{ tensor: {tensor} pipeline: {pipeline} }}"
    if cut > 1 or apart != tensor * data or (tensor > 1 and data > 1):
        raise Unscored("layout: experts cut and apart at once")
    return f"layout {{ tensor: {tensor} pipeline: {pipeline} expert_tensor: 1 }}" if tensor > 1 else f"layout {{ pipeline: {pipeline} dense_data: {data} expert: {apart} }}"


def common(row: dict, file: str, kind: str) -> Row:
    found = Row(file, row["id"], *names.source_of(row["source"], row["hw"]), kind=kind)
    if row["confidence"] == "from-memory":
        raise Unscored("from memory, not from a source")
    if row["hw"] not in names.GPUS:
        raise Unscored(f"GPU {row['hw']}: not in the catalogue")
    found.gpu = names.GPUS[row["hw"]]
    precision, framework = row["precision"], row["framework"]
    cache = row["kv_precision"] or ("fp8" if framework in FP8_CACHE and precision == "fp8" else "")
    found.question = {"gpu": found.gpu, "gpus": degree(row, "tp") * degree(row, "pp") * degree(row, "attn_dp"), "layout": layout_of(row),
                      "nic_gbps": row["nic_Gbps_per_gpu"], "engine": names.engine_of(framework)}
    name = models.gallery_name(row, precision)
    if precision == "fp8" and (names.engine_of(framework) in STATIC_SCALES or row.get("modelopt")):
        precision = "fp8_static"
    found.question |= {"gallery": name, "cache": models.WEIGHTS[cache]} if name else {
        "model": models.model_text(row, precision, cache, "weight-only" in row["notes"])}
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
    found.question |= {"job": f"batch {{ sequences: {batch} prompt_tokens: {max(1, prompt)} output_tokens: {max(1, int(names.number(row['osl'])))} }}",
                       "quantity": quantity}
    return found
