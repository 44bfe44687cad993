"""Rows of requests that arrive as plans for `rehearse run` with `serve { }`: one row a quantity that the source states.

A closed loop keeps `concurrency` requests in flight, as many times over as the source's load generator does; "offline" gives all
at once. Settings that a source does not state are the engine's own."""
import collections.abc
import pathlib
import re

from . import generations, models, names
from .generations import STATIC_MODES, Unscored
from .row import SERVING, Row

NOT_SERVED = {"disagg": "prefill and decode apart", "disagg-prefill": "prefill and decode apart", "disagg-decode": "prefill and decode apart",
              "": "not a measurement of one batch", "Server": "offered rate, layout and lengths are not stated",
              "Offline": "layout and lengths are not stated"}
ROUNDS = 10  # requests of a closed loop / concurrency: InferenceX's scripts (--num-prompts); the other sources do not state it
# InferenceX draws lengths from 0.8 of the nominal one up to it (--random-range-ratio 0.8); its tables are files named by a date
# ("source_file=2026-04-06.csv") and a data base ("db-dump/...").
INFERENCEX = re.compile(r"source_file=\d{4}-\d\d-\d\d\.csv|^db-dump/")
LEAST = 0.8
# What its scripts give the engines (benchmarks/single_node at 843c6254; those of Llama-70B were there in 2025): tokens of a pass.
INFERENCEX_TOKENS = {("DeepSeek-V3", "sglang"): 32768, ("GPT-OSS-120B", "tensorrt_llm"): 20000}
# Caches in FP8: ModelOpt's checkpoints say so (hf_quant_config.json, kv_cache_quant_algo), and the same scripts.
MODELOPT = re.compile(r"nvidia_|nvidia/Llama-3|model=Llama-3")
FP8_CACHE_SCRIPTS = (("DeepSeek-V3", "tensorrt_llm", "H200-SXM-141"), ("GPT-OSS-120B", "tensorrt_llm", "B200-SXM"), ("GPT-OSS-120B", "vllm", "B200-SXM"))
# Asynchronous scheduling is vLLM's default from there on; InferenceX asks for it before.
ASYNCHRONOUS = (0, 14)
# Requests of trtllm-bench by tokens of prompt and output: NVIDIA/TensorRT-LLM@00f3768 docs/source/performance/perf-overview.md.
OFFLINE_REQUESTS = {(128, 128): 30000, (128, 2048): 3000, (128, 4096): 1500, (500, 2000): 3000, (1000, 1000): 3000, (1000, 2000): 1500,
                    (2048, 128): 3000, (2048, 2048): 1500, (5000, 500): 1500, (20000, 2000): 1000}
# Schedulers by a profile's name.
SCHEDULERS = {"vllm": "vllm", "sglang": "sglang", "tensorrt_llm": "tensorrt_llm"}
# Quantity, column of the row, seconds from a cell: a throughput is asked as what an output token takes of a GPU.
QUANTITIES = (("tpot", "tpot_ms", lambda cell: cell * 1e-3), ("ttft", "ttft_ms", lambda cell: cell * 1e-3),
              ("throughput", "out_tok_s_per_gpu", lambda cell: 1 / cell))


def lengths(nominal: int, drawn: bool) -> str:
    return f"{{ tokens: {nominal} least: {LEAST} }}" if drawn else f"{{ tokens: {nominal} }}"


def traffic_of(row: dict) -> str:
    prompt, output = int(names.number(row["isl"])), int(names.number(row["osl"]))
    if not prompt or not output:
        raise Unscored("states no lengths")
    if row["mode"] == "offline-max-throughput":
        concurrency = requests = OFFLINE_REQUESTS.get((prompt, output), 0)
    else:
        concurrency = int(names.number(row["concurrency"]))
        requests = ROUNDS * concurrency
    if not concurrency:
        raise Unscored("states no concurrency")
    drawn = bool(INFERENCEX.search(row["traffic"]))
    return (f"traffic {{ concurrency: {concurrency} requests: {requests} prompt {lengths(prompt, drawn)} "
            f"output {lengths(output, drawn)} }}")


def cache_of(row: dict, engine: str) -> str:
    """The type of keys and values, where the source or what it ran says one."""
    modelopt = MODELOPT.search(row["traffic"]) and row["precision"] in ("fp8", "fp4", "nvfp4")
    scripted = INFERENCEX.search(row["traffic"]) and (row["model"], engine, row["hw"]) in FP8_CACHE_SCRIPTS
    return row["kv_precision"] or ("fp8" if modelopt or scripted else "")


def engine_of(row: dict, engine: str) -> str:
    """The engine of a plan with the settings that the source states; others are the engine's own."""
    fields = [f'name: "{SCHEDULERS[engine]}"']
    inferencex = bool(INFERENCEX.search(row["traffic"]))
    if inferencex and (row["model"], engine) in INFERENCEX_TOKENS:
        fields.append(f"max_tokens_per_pass: {INFERENCEX_TOKENS[row['model'], engine]}")
    elif inferencex and engine == "tensorrt_llm":  # CONC + ISL + 64, at least 8192
        fields.append(f"max_tokens_per_pass: {max(8192, int(names.number(row['isl'])) + int(names.number(row['concurrency'])) + 64)}")
    version = re.match(r"vllm (\d+)\.(\d+)", row["framework"])
    if version and not inferencex and tuple(map(int, version.groups())) < ASYNCHRONOUS:
        fields.append("asynchronous: false")
    return f"engine {{ {' '.join(fields)} }}"


def serving_rows(row: dict, file: str) -> list[Row]:
    engine = names.engine_of(row["framework"])
    if engine not in SCHEDULERS:
        raise Unscored(f"engine {engine}: no scheduler of a running service")
    job = f"serve {{ {traffic_of(row)} {engine_of(row, engine)} }}"
    row = row | {"kv_precision": cache_of(row, engine), "modelopt": bool(MODELOPT.search(row["traffic"]))}
    found = []
    for quantity, column, seconds in QUANTITIES:
        cell = names.number(row.get(column))
        if cell:
            each = generations.common(row, file, SERVING)
            each.measured, each.family = seconds(cell), f"serving_{quantity}.{engine}"
            each.question |= {"job": job, "quantity": quantity}
            found.append(each)
    if not found:
        raise Unscored("states no time")
    return found


def rows_of(row: dict, file: str) -> list[Row]:
    try:
        if row["mode"] in STATIC_MODES:
            return [generations.static_row(row)]
        if row["mode"] in ("agg", "online", "offline-max-throughput"):
            return serving_rows(row, file)
        raise Unscored(NOT_SERVED.get(row["mode"], "lengths are not stated, as of ShareGPT"))
    except (Unscored, models.Unscored) as why:
        return [Row(file, row["id"], *names.source_of(row["source"], row["hw"]), reason=str(why))]


def silicon_rows(folder: pathlib.Path) -> collections.abc.Iterator[dict]:
    """The larger table of serving, with the columns of inference.csv."""
    dimensions = {row["model"]: row for row in names.table(folder / "models.csv")}
    nics = {row["hw"]: row["nic_Gbps_per_gpu"] for row in names.table(folder / "hardware.csv")}
    for row in names.table(folder / "bulk" / "inference_silicon_full.csv"):
        yield dimensions.get(row["model"], {"attn": "unknown"}) | {
            "id": row["id"], "model": row["model"], "confidence": "", "source": "ai-dynamo/aiconfigurator silicon", "hw": row["hw"],
            "n_gpus": row["n_gpus"], "mode": row["mode"], "framework": f"{row['backend']} {row['backend_version']}".strip(),
            "precision": "fp8_block" if row["moe_quant_mode"] == "fp8_block" and row["gemm_quant_mode"] == "fp8_block" else row["precision"], "kv_precision": "", "notes": "", "tp": row["tp_size"], "pp": row["pp_size"],
            "ep": row["moe_ep_size"], "moe_tp": row["moe_tp_size"], "attn_dp": row["attention_dp_size"],
            "nic_Gbps_per_gpu": nics.get(row["hw"], ""), "concurrency": row["concurrency"], "isl": row["isl"], "osl": row["osl"],
            "ttft_ms": row["silicon_ttft_ms"], "tpot_ms": row["silicon_tpot_ms"], "traffic": row["silicon_data_source"]}


# Read in the logs of mlcommons/inference_results_v5.1@965182b0, closed/*/results/**/mlperf_log_detail.txt and the submissions'
# settings: offered rate, mean TTFT and TPOT. The means of the lengths are the data set's (OpenOrca); how they vary is not in the logs.
OFFERED = pathlib.Path(__file__).resolve().parents[2] / "tests" / "accuracy" / "offered_rates.csv"
OFFERED_SOURCE, OFFERED_VARIATION = "mlcommons/inference_results_v5.1", 0.9
OFFERED_TIME = 'duration: "180s" warm_up: "60s"'  # of the ten minutes that each ran: later ones are like these


def offered_rows(dimensions: dict[str, dict]) -> list[Row]:
    """Requests at a rate, over replicas of one GPU or more."""
    found = []
    for row in names.table(OFFERED):
        engine = names.engine_of(row["framework"])
        lengths_of = {name: f"{{ tokens: {row[column]} variation: {OFFERED_VARIATION} }}" for name, column in (("prompt", "isl"), ("output", "osl"))}
        settings = [f'name: "{SCHEDULERS[engine]}"'] + [f"{field}: {row[column]}" for field, column in
                                                        (("max_sequences", "max_sequences"), ("max_tokens_per_pass", "max_tokens")) if row[column]]
        traffic = f'rate: "{row["request_rate"]}/s" {OFFERED_TIME} prompt {lengths_of["prompt"]} output {lengths_of["output"]}'
        whole = dimensions.get(row["model"], {"attn": "unknown"}) | row | {
            "source": f"{OFFERED_SOURCE} ", "confidence": "", "notes": "", "pp": "1", "attn_dp": "1", "ep": "", "nic_Gbps_per_gpu": "",
            "n_gpus": row["tp"], "modelopt": row["precision"] == "fp8"}
        for quantity, column, seconds in QUANTITIES[:2]:
            try:
                each = generations.common(whole, "tests/accuracy/offered_rates.csv", SERVING)
            except (Unscored, models.Unscored) as why:
                each = Row("tests/accuracy/offered_rates.csv", row["id"], OFFERED_SOURCE, OFFERED_SOURCE, reason=str(why))
            each.measured, each.family = seconds(names.number(row[column])), f"offered_{quantity}.{engine}"
            each.question |= {"job": f"serve {{ traffic {{ {traffic} }} engine {{ {' '.join(settings)} }} replicas: {row['replicas']} }}",
                              "quantity": quantity, "gpus": int(row["n_gpus"])}
            found.append(each)
    return found


def questions(folder: pathlib.Path) -> list[Row]:
    found, seen = offered_rows({row["model"]: row for row in names.table(folder / "models.csv")}), set()
    for row in silicon_rows(folder):
        seen.add(f"silicon-{row['id']}")
        found += rows_of(row, "inference_silicon_full.csv")
    for row in names.table(folder / "inference.csv"):
        if row["id"] in seen:
            found.append(Row("inference.csv", row["id"], *names.source_of(row["source"], row["hw"]), reason="also a row of inference_silicon_full.csv"))
        else:
            found += rows_of(row | {"traffic": row["source"].split("; ", 1)[-1]}, "inference.csv")
    training = names.table(folder / "training.csv")
    return found + [Row("training.csv", row["id"], *names.source_of(row["source"], row["hw"]), reason="no training") for row in training]
