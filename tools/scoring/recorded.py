"""Runs of vLLM of which every request was recorded, replayed: a folder has, for each GPU and model, vllm/meta.json and
vllm/requests.jsonl as bench/ of casys-kaist/LLMServingSim writes them (bench/examples there).

Settings are those of meta.json; what it does not say is the engine's own. A request arrives when the client sent it; the
engine's clock is laid onto the client's where the least time lies between sending and queueing."""
import dataclasses
import json
import pathlib
import statistics

from .simulator import Simulator, general

GPUS = {"RTX4090": "rtx4090", "RTXPRO6000": "rtx-pro-6000"}
QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
QUANTITIES = ("ttft_s", "tpot_s", "e2e_s")


@dataclasses.dataclass
class Recorded:
    name: str
    requests: int = 0
    measured: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)
    predicted: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)
    preemptions: int = 0
    reason: str = ""  # why there is no prediction


def quantile(values: list[float], part: float) -> float:
    """Interpolated, as numpy's."""
    ordered, at = sorted(values), (len(values) - 1) * part
    low = int(at)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (at - low)


def figures(values: list[float]) -> dict[str, float]:
    return {"mean": statistics.mean(values)} | {name: quantile(values, part) for name, part in QUANTILES}


def times_of(requests: list[dict]) -> dict[str, list[float]]:
    clock = min(each["queued_ts"] - each["arrival_time"] for each in requests)
    sent = [each["arrival_time"] + clock for each in requests]
    return {"ttft_s": [each["first_token_ts"] - at for each, at in zip(requests, sent)],
            "tpot_s": [(each["last_token_ts"] - each["first_token_ts"]) / (each["output_toks"] - 1) for each in requests if each["output_toks"] > 1],
            "e2e_s": [each["last_token_ts"] - at for each, at in zip(requests, sent)]}


def layout_of(engine: dict) -> str:
    tensor, data = engine["tensor_parallel_size"], engine["data_parallel_size"]
    if data > 1 and engine["enable_expert_parallel"] and tensor == 1:
        return f"layout {{ dense_data: {data} expert: {data} }}"
    return f"layout {{ tensor: {tensor} data: {data} }}"


def engine_of(meta: dict) -> str:
    engine = meta["engine_kwargs"]
    fields = {"max_tokens_per_pass": engine["max_num_batched_tokens"], "max_sequences": engine["max_num_seqs"],
              "max_model_len": engine["max_model_len"], "kv_blocks": meta.get("kv_cache", {}).get("num_gpu_blocks")}
    return 'engine { name: "vllm" ' + "".join(f"{name}: {value} " for name, value in fields.items() if value) + "}"


def trace_of(requests: list[dict]) -> str:
    first = requests[0]["arrival_time"]
    lines = [f"{each['arrival_time'] - first:.9f},{each['input_toks']},{each['output_toks']}" for each in requests]
    return "\n".join(["arrival_s,prompt_tokens,output_tokens", *lines]) + "\n"


def replayed(run: pathlib.Path, simulator: Simulator) -> Recorded:
    meta = json.loads((run / "vllm" / "meta.json").read_text(encoding="utf-8"))
    with open(run / "vllm" / "requests.jsonl", encoding="utf-8") as file:
        requests = sorted((json.loads(line) for line in file), key=lambda each: each["arrival_time"])
    hardware = run.parent.name
    found = Recorded(f"{hardware} {meta['model']}, vLLM {meta['vllm_version']}", len(requests),
                     {name: figures(values) for name, values in times_of(requests).items()})
    place = simulator.folder / f"{hardware}-{run.name}"
    place.mkdir()
    (place / "trace.csv").write_text(trace_of(requests), encoding="utf-8")
    (place / "plan.textproto").write_text(
        f'model: "{meta["model"]}"\nplatform: "platform.xml"\n{layout_of(meta["engine_kwargs"])}\n'
        f'serve {{ traffic {{ trace: "trace.csv" }} {engine_of(meta)} }}\n', encoding="utf-8")
    simulator.run("platform", "--gpu", GPUS.get(hardware, hardware.lower()), "--nodes", "1", "--fabric", "star", "--out", str(place / "platform.xml"))
    answer = simulator.run("run", str(place / "plan.textproto"), "--json", "--quiet")
    if answer.returncode not in (0, 1) or not answer.stdout:
        found.reason = general(answer.stderr)
        return found
    result = json.loads(answer.stdout)
    found.predicted = {name: result[name] for name in QUANTITIES}
    found.preemptions = result["serving"].get("preemptions", 0)
    return found


def runs(folder: pathlib.Path, simulator: Simulator) -> list[Recorded]:
    return [replayed(path.parent.parent, simulator) for path in sorted(folder.glob("*/*/vllm/meta.json"))]


def lines(found: list[Recorded]) -> list[str]:
    """A table for tests/accuracy/README.md."""
    head = "run | requests | " + " | ".join(f"{name[:-2].upper()} mean, p50, p90, p99 of it: measured s; predicted, %" for name in QUANTITIES) + " | preemptions"
    rows = []
    for each in found:
        cells = [each.name, str(each.requests)]
        for name in QUANTITIES:
            if each.reason:
                cells.append(each.reason)
                continue
            pairs = [(each.measured[name][of], each.predicted[name][of]) for of in ("mean", "p50", "p90", "p99")]
            cells.append(", ".join(f"{measured:.3g}" for measured, _ in pairs) + "; " +
                         ", ".join(f"{100 * (predicted / measured - 1):+.0f}" for measured, predicted in pairs))
        rows.append(" | ".join([*cells, str(each.preemptions)]))
    columns = head.count("|") + 1
    return [f"| {head} |", "|" + "---|" * columns] + [f"| {row} |" for row in rows] + [""]
