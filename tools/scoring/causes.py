"""Why the worst rows of a family are off: written by hand, of whole families; nothing here changes a number."""

CAUSES = {
    "attention_decode.1_kv_head": "how the kernel splits one KV head's context is not visible from outside",
    "attention_decode": "short contexts are what starting the kernel takes",
    "attention_prefill": "short prompts: tiles that are not full, and starting the kernel",
    "elementwise": "measured without CUDA graphs: a start by the host is in every time",
    "gemm.int8": "which kernel the library picks for int8: it reaches half of the peak (platforms/measured)",
    "gemm": "which kernel the library picks for a shape; small weights that stay in L2",
    "gemm.bf16": "which kernel the library picks for a shape; a source without CUDA graphs has the host's start in it",
    "gemm.fp8": "scales found at run time in one source, given in another",
    "mla_decode": "few heads or sequences: how the kernel splits the context is not visible from outside",
    "mla_prefill": "few heads: tiles that do not fill the GPU",
    "moe": "tiles of few rows; weights of experts that no token visits",
    "nccl.one_domain": "what a start takes differs by source: 5 us in CUDA graphs, 20 to 40 us timed by the host",
    "nccl.several_servers": "one fabric each: starts of 48 us on InfiniBand, 75 to 365 us on EFA",
    "vllm": "sizes at which the engine changes its kernel",
    "sglang": "sizes at which the engine changes its kernel",
    "tensorrt_llm": "sizes at which the engine changes its kernel",
    "deepep_normal": "copies of tokens to a GPU depend on the routing of the benchmark",
    "deepep_low_latency": "few tokens: what the kernel takes to start; over servers the network's own queue",
    "static": "what the engine itself takes for each operator",
    "serving_tpot": "speculation and most settings are not stated; what the host takes outside of the scheduler",
    "serving_ttft": "front end and client are in the measured one; how a run begins, and whether mean or median is stated, is not known",
    "offered_tpot": "how lengths vary is not in the logs; few requests in a step are as many as the machine has room for",
    "offered_ttft": "how lengths vary is not in the logs; near saturation the queue multiplies a step's error",
    "serving_throughput": "batch limits that the tables chose for each row",
}


PCIE = "cards without NVLink share the host's PCIe: constants of NVLink machines stand for theirs"
ON = {("nccl", "l40s"): PCIE, ("vllm", "l40s"): PCIE, ("sglang", "l40s"): PCIE, ("tensorrt_llm", "l40s"): PCIE,
      ("nccl", "h100-nvl"): "two cards joined by a bridge: constants of NVSwitch machines stand for theirs",
      ("attention_decode", "l40s"): "contexts of a few tokens, of which a whole block is counted; an L2 of 96 MB",
      ("moe", "l40s"): "an L2 of 96 MB that holds the experts of the benchmark"}


def cause_of(family: str, gpu: str) -> str:
    """Of a family; where the kind of GPU is the cause, that."""
    group = family.split(".")[0]
    return ON.get((group, gpu), CAUSES.get(family, CAUSES.get(group, "not known")))
