"""The model of a measured row as a file of the simulator.

What a table of dimensions leaves open (a gate in the FFN, a head that shares the embedding) is what comes closest to
the parameters that it states."""
import itertools

from . import names

REFUSED = {"MLA": "MLA outside of the gallery", "hybrid": "attention that is not the same everywhere", "sliding": "attention over a window",
           "chunked": "attention over a window", "parallel": "attention and FFN side by side", "unknown": "dimensions that are not stated"}
# Models of the gallery, by what the rows call them and the type of their weights that is the published checkpoint's. (GPT-OSS has
# one checkpoint; sources call its MXFP4 by several names.)
GALLERY = {("DeepSeek-V3", "fp8"): "deepseek-ai/DeepSeek-V3", ("DeepSeek-V3", ""): "deepseek-ai/DeepSeek-V3"}
GALLERY |= {("GPT-OSS-120B", precision): "openai/gpt-oss-120b" for precision in ("", "fp4", "fp8", "mxfp4")}
WEIGHTS = {"": "bf16", "bf16": "bf16", "fp16": "fp16", "fp8": "fp8", "int8": "int8", "fp4": "fp4", "nvfp4": "fp4"}
# FP8 of a checkpoint: a scale for a tensor, of the inputs too ("static", ModelOpt's); a scale for each block of 128 x 128.
FP8 = {"fp8_static": "dtype: fp8 bytes_per_matrix: 8 static_scales: true",
       "fp8_block": "dtype: fp8 block_outputs: 128 block_inputs: 128 scale_bytes: 4"}
LINEAR = "part: qkv part: attention_output part: dense_up part: dense_down"
# Stored narrow, multiplied in 16 bits; of int4 a scale and a zero point of 16 bits for each group of 32 (gpt-fast, quantize.py).
WEIGHT_ONLY = {"int8": f"storage {{ {LINEAR} dtype: int8 arithmetic: bf16 }}",
               "int4-g32": f"storage {{ {LINEAR} dtype: int4 arithmetic: bf16 block_inputs: 32 block_outputs: 1 scale_bytes: 4 }}"}


class Unscored(Exception):
    """Why a model cannot be a file."""


def count(row: dict, column: str) -> int:
    return int(names.number(row.get(column)))


def parameters(row: dict, gated: bool, tied: bool) -> float:
    hidden, head = count(row, "hidden"), count(row, "head_dim")
    attention = hidden * head * (2 * count(row, "heads") + 2 * count(row, "kv_heads"))
    matrices = 3 if gated else 2
    dense = matrices * hidden * count(row, "ffn")
    experts = 3 * hidden * count(row, "moe_ffn") * (count(row, "experts") + count(row, "shared_experts"))
    sparse = count(row, "layers") - count(row, "dense_layers") if count(row, "experts") else 0
    layers = count(row, "layers") * attention + sparse * experts + (count(row, "layers") - sparse) * dense
    return layers + count(row, "vocab") * hidden * (1 if tied else 2)


def left_open(row: dict) -> tuple[bool, bool]:
    """Whether the FFN has a gate, and whether the head is the embedding."""
    stated = names.number(row.get("params_B")) * 1e9
    if "SwiGLU" in row.get("attn", ""):
        return True, False
    if not stated:  # every model since LLaMA has a gate; one of before is 4 x hidden wide
        return count(row, "ffn") != 4 * count(row, "hidden"), False
    return min(itertools.product((True, False), (False, True)), key=lambda open: abs(parameters(row, *open) - stated))


def refusal(row: dict) -> str:
    for word, reason in REFUSED.items():
        if word in row.get("attn", ""):
            return f"model: no {reason}"
    needed = ["layers", "hidden", "heads", "kv_heads", "head_dim", "vocab"]
    needed += ["experts", "topk", "moe_ffn"] if count(row, "experts") else ["ffn"]
    return "" if all(count(row, column) for column in needed) else "model: dimensions that are not stated"


def gallery_name(row: dict, precision: str) -> str:
    """Its name in the gallery; empty where the row's table of dimensions says all, or the row is not of that checkpoint."""
    return GALLERY.get((row.get("model", ""), precision), "")


def model_text(row: dict, precision: str, kv_precision: str, weight_only: bool) -> str:
    """A file of a model. Throws Unscored."""
    reason = refusal(row)
    if reason:
        raise Unscored(reason)
    gated, tied = left_open(row)
    gate = str(gated).lower()
    lines = [f'name: "{row["model"]}"', f'layers: {count(row, "layers")}', f'hidden: {count(row, "hidden")}', f'vocab: {count(row, "vocab")}',
             f'attention {{ heads: {count(row, "heads")} kv_heads: {count(row, "kv_heads")} head_dim: {count(row, "head_dim")} }}']
    if tied:
        lines.append("tied_embeddings: true")
    if count(row, "ffn") and (not count(row, "experts") or count(row, "dense_layers")):
        lines.append(f'dense {{ width: {count(row, "ffn")} gated: {gate} }}')
    if count(row, "experts"):
        expert = f'width: {count(row, "moe_ffn")} gated: true'
        lines.append(f'moe {{ experts: {count(row, "experts")} top_k: {count(row, "topk")} expert {{ {expert} }}')
        if count(row, "shared_experts"):
            lines.append(f'shared_experts: {count(row, "shared_experts")} shared {{ {expert} }}')
        if count(row, "dense_layers"):
            lines.append(f'first_dense_layers: {count(row, "dense_layers")}')
        lines.append("}")
    if weight_only and precision in WEIGHT_ONLY:
        lines += ["weight_dtype: bf16", WEIGHT_ONLY[precision]]
    elif precision in FP8:
        dense = f"storage {{ {LINEAR} {FP8[precision]} }}" if count(row, "ffn") else f"storage {{ part: qkv part: attention_output {FP8[precision]} }}"
        lines += ["weight_dtype: fp8", dense]
    elif precision in WEIGHTS:
        lines.append(f"weight_dtype: {WEIGHTS[precision]}")
    else:
        raise Unscored(f"type {precision}: none of a model's")
    if kv_precision:
        lines.append(f"kv_dtype: {WEIGHTS[kv_precision]}")
    return "\n".join(lines) + "\n"
