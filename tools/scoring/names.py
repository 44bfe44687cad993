"""What sources call GPUs, types and engines, and what the simulator calls them."""
import csv
import pathlib
import re

from fitting.rows import GPUS as FITTED_GPUS

GPUS = FITTED_GPUS | {
    "A800-SXM-80": "a800", "A100-PCIe": "a100-pcie", "A40": "a40", "B200-SXM": "b200", "B300-SXM": "b300", "GB300-NVL72": "gb300-nvl72",
    "GH200-144": "gh200", "Gaudi3": "gaudi3", "H100-PCIe": "h100-pcie", "MI300X": "mi300x", "MI325X": "mi325x",
    "MI355X": "mi355x", "RTX-PRO-6000": "rtx-pro-6000", "RTX4090": "rtx4090", "TPUv4": "tpu-v4", "TPUv5e": "tpu-v5e",
    "TPUv5p": "tpu-v5p", "V100-SXM-32": "v100",
}
# GPUs of a server, or of a rack that is one scale-up domain; of the others 8.
GPUS_OF_SERVER = {"gb200-nvl72": 72, "gb300-nvl72": 72, "gh200": 1}
# Types of operators; 16-bit floats take the same time.
DTYPES = {"bf16": "bf16", "bfloat16": "bf16", "fp16": "fp16", "half": "fp16", "fp8": "fp8", "fp8-block": "fp8_block",
          "fp8_block": "fp8_block", "fp8_static": "fp8_static", "nvfp4": "nvfp4", "int8": "int8", "int4": "int4", "w4a16-mxfp4": "mxfp4", "w4a16_mxfp4": "mxfp4",
          "mxfp4": "mxfp4", "w4a8_mxfp4_mxfp8": "mxfp4_fp8"}
# The profile of an engine by how a source's words begin; those of a version come first.
ENGINES = (("TensorRT-LLM 0.", "tensorrt_llm_0.5"), ("TensorRT-LLM", "tensorrt_llm"), ("trtllm", "tensorrt_llm"), ("NIM", "tensorrt_llm"),
           ("vLLM (2024", "vllm_v0"), ("vLLM", "vllm"), ("vllm", "vllm"), ("SGLang", "sglang"), ("sglang", "sglang"),
           ("FasterTransformer", "fastertransformer"), ("gpt-fast", "gpt_fast"), ("ds-inference", "deepspeed"))


def source_of(text: str, hardware: str) -> tuple[str, str]:
    """Who measured, on which machine ("owner/repository H100-SXM-80"), and the whole text."""
    first = re.split(r"[ @#]", text.strip())[0]
    who = first if "/" in first else text.split("(")[0].strip()
    return f"{who} {hardware}", f"{text} {hardware}"


def family_dtype(dtype: str) -> str:
    return "bf16" if dtype == "fp16" else dtype


def engine_of(framework: str) -> str:
    """The name of its profile; "unnamed": the source names none that is known."""
    return next((profile for start, profile in ENGINES if framework.startswith(start)), "unnamed")


def table(path: pathlib.Path) -> list[dict[str, str]]:
    """The rows of a file; a folder may lack it."""
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(text: str | None) -> float:
    """0 where the cell is empty or no number."""
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
