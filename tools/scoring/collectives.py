"""Rows of collectives as questions for `rehearse collective --batch`."""
import pathlib

from fitting.rows import OPS, ranks_per_node

from . import names
from .row import COLLECTIVE, Row

ENGINES = {"vllm": "vllm", "sglang": "sglang", "trtllm": "tensorrt_llm"}
# GPUs of one node of the machine where DeepEP's kernels were measured: the source names no number.
NODE = {"H100-SXM-80": 8, "GB200-NVL72": 4}
DEFAULT_SMS = "20"  # DeepEP's: Buffer.num_sms
PER_GPU = ("moe_dispatch", "moe_combine")
DTYPES = {"half": "fp16", "fp16": "fp16", "bf16": "bf16", "bfloat16": "bf16", "float": "fp32", "int32": "int32", "int8": "int8",
          "fp8": "fp8", "": ""}


class Unscored(Exception):
    """Why a row cannot be a question."""


def family_of(library: str, ranks: int, per_node: int) -> str:
    library = "nccl" if library == "nccl_graphs" else library
    return f"{library}.{'one_domain' if ranks <= per_node else 'several_servers'}"


def question(row: Row, op: str, gpu: str, ranks: int, per_node: int, library: str, **cells: str) -> None:
    if gpu not in names.GPUS:
        raise Unscored(f"GPU {gpu}: not in the catalogue")
    row.gpu = names.GPUS[gpu]
    row.family = family_of(library, ranks, per_node)
    row.question = {"op": op, "gpu": row.gpu, "ranks": str(ranks), "ranks_per_node": str(per_node), "library": library} | cells


def library_of(row: dict) -> str:
    """The simulator's name of what ran; NCCL as nccl-tests starts it, or from a CUDA graph as aiconfigurator does."""
    library = row["lib"]
    if library.startswith("DeepEP"):
        return "deepep_low_latency" if "low-latency" in library else "deepep_normal"
    engine = library.split(" ")[0]
    if engine in ENGINES and library.endswith("custom"):
        if "eager" in row["algo"]:
            raise Unscored("an engine's kernel started by the host")
        return ENGINES[engine]
    if not library.startswith("NCCL"):
        raise Unscored(f"library {library.split(' kernel')[0].split(' /')[0]}: none of the simulator's")
    if "SHARP" in library:
        raise Unscored("switches of the network add up")
    return "nccl_graphs" if row["source"].startswith("ai-dynamo/") else "nccl"


def seconds_of(row: dict) -> float:
    if names.number(row["time_us"]) > 0:
        return names.number(row["time_us"]) * 1e-6
    ranks, rate = names.number(row["n_gpus"]), names.number(row["busbw_GBs"]) * 1e9
    factors = {"all_reduce": 2 * (ranks - 1) / ranks, "send_recv": 1.0}
    factor = factors.get(OPS.get(row["op"], ""), (ranks - 1) / ranks)
    if rate <= 0 or names.number(row["size_bytes"]) <= 0:
        raise Unscored("states no time")
    return names.number(row["size_bytes"]) * factor / rate


def question_of(row: dict) -> Row:
    found = Row("collectives.csv", row["id"], *names.source_of(row["source"], row["hw"]), kind=COLLECTIVE)
    try:
        if row["confidence"] == "from-memory":
            raise Unscored("from memory, not from a source")
        library = library_of(row)
        if row["op"] not in OPS and row["op"] not in PER_GPU:
            raise Unscored(f"no collective {row['op']}")
        if row["algo"].startswith("Ring"):
            raise Unscored("an algorithm that was forced")
        if row["sms"] and library == "deepep_normal" and row["sms"] != DEFAULT_SMS:
            raise Unscored("DeepEP with another number of SMs than its default")
        ranks, per_node = int(row["n_gpus"]), ranks_per_node(row)
        cells = {"dtype": DTYPES.get(row["dtype"], row["dtype"])}
        if names.number(row["nic_Gbps_per_gpu"]) and ranks > per_node:
            cells |= {"nic_gbps": row["nic_Gbps_per_gpu"], "nics_per_node": str(per_node)}
        found.measured = seconds_of(row)
        if row["op"] in PER_GPU:
            cells["dtype"] = cells["dtype"] or ("fp8" if row["op"] == "moe_dispatch" else "bf16")
            cells |= {"tokens": row["tokens_per_gpu"], "hidden": row["hidden"], "experts": row["n_experts"], "top_k": row["topk"]}
            question(found, row["op"], row["hw"], ranks, per_node, library, **cells)
        else:
            cells |= {"bytes": str(int(names.number(row["size_bytes"])))}
            question(found, OPS[row["op"]], row["hw"], ranks, per_node, library, **cells)
    except Unscored as why:
        found.reason = str(why)
    return found


def nccl_rows(folder: pathlib.Path) -> list[Row]:
    file, found = "aic_nccl_full.csv", []
    for row in names.table(folder / "bulk" / file):
        ranks = int(row["n_gpus"])
        each = Row(file, f"{row['op']} {row['dtype']} of {ranks}, {row['size_bytes']} B", *names.source_of(row["source"], row["system"]),
                   kind=COLLECTIVE, measured=names.number(row["time_us"]) * 1e-6)
        try:
            if row["op"] not in OPS:
                raise Unscored(f"no collective {row['op']}")
            question(each, OPS[row["op"]], row["system"], ranks, ranks, "nccl_graphs", bytes=row["size_bytes"],
                     dtype=DTYPES.get(row["dtype"], row["dtype"]))
        except Unscored as why:
            each.reason = str(why)
        found.append(each)
    return found


def engine_rows(folder: pathlib.Path) -> list[Row]:
    file, found = "aic_custom_allreduce_full.csv", []
    for row in names.table(folder / "bulk" / file):
        ranks = int(row["n_gpus"])
        each = Row(file, f"{row['framework']} {row['version']} of {ranks}, {row['size_bytes']} B",
                   *names.source_of(row["source"], row["system"]), kind=COLLECTIVE, measured=names.number(row["time_us"]) * 1e-6)
        try:
            if "eager" in row["backend"]:
                raise Unscored("an engine's kernel started by the host")
            question(each, "all_reduce", row["system"], ranks, ranks, ENGINES[row["framework"]], bytes=row["size_bytes"],
                     dtype=DTYPES.get(row["dtype"], row["dtype"]))
        except Unscored as why:
            each.reason = str(why)
        found.append(each)
    return found


def deepep_rows(folder: pathlib.Path) -> list[Row]:
    found = []
    for file, library, time in (("aic_deepep_ll_full.csv", "deepep_low_latency", "avg_t_us"),
                                ("aic_deepep_normal_full.csv", "deepep_normal", "transmit_us")):
        for row in names.table(folder / "bulk" / file):
            for op, dtype in (("dispatch", "fp8"), ("combine", "bf16")):
                each = Row(file, f"{op} of {row['num_token']} tokens, {row['num_topk']} of {row['num_experts']} experts, hidden {row['hidden_size']}",
                           *names.source_of(row["source"], row["system"]), kind=COLLECTIVE,
                           measured=names.number(row[f"{op}_{time}"]) * 1e-6)
                try:
                    if row.get(f"{op}_sms", DEFAULT_SMS) != DEFAULT_SMS:
                        raise Unscored("DeepEP with another number of SMs than its default")
                    if row["node_num"] != "1" or row["system"] not in NODE:
                        raise Unscored("DeepEP on a machine whose size is not stated")
                    node = NODE[row["system"]]
                    question(each, f"moe_{op}", row["system"], node, node, library, dtype=dtype, tokens=row["num_token"],
                             hidden=row["hidden_size"], experts=row["num_experts"], top_k=row["num_topk"])
                except Unscored as why:
                    each.reason = str(why)
                found.append(each)
    return found


def questions(folder: pathlib.Path) -> list[Row]:
    found = [question_of(row) for row in names.table(folder / "collectives.csv")]
    return found + nccl_rows(folder) + engine_rows(folder) + deepep_rows(folder)
