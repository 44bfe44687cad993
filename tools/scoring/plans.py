"""Runs plans, as many at once as there are processors.

Serving at a fixed concurrency: two runs of the same batch. One generates a single token, so that its TTFT is the prefill
of all prompts; one takes a few decode steps around the mean context, because a step's time grows evenly with it.
  t = decode(b) + b / output x prefill(b prompts) / b,   b = min(concurrency, what the KV cache has room for)"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import tempfile

from . import names
from .row import SERVING, Row
from .simulator import Simulator, general

STEPS = 4                 # decode steps around the mean context
WHOLE, SHARE = 1.0, 0.9   # of a GPU's memory: a static batch was there; engines take this by default


class Refused(Exception):
    """What the simulator says of a plan that it does not run."""


class Plans:
    def __init__(self, simulator: Simulator):
        self.simulator = simulator
        self.folder = simulator.folder
        self.platforms: dict[tuple, pathlib.Path | Refused] = {}

    def platform_key(self, question: dict) -> tuple[str, int, str]:
        per_server = names.GPUS_OF_SERVER.get(question["gpu"], 8)
        nodes = (question["gpus"] + per_server - 1) // per_server
        return question["gpu"], nodes, question["nic_gbps"] if nodes > 1 and names.number(question["nic_gbps"]) else ""

    def write_platform(self, key: tuple[str, int, str]) -> pathlib.Path | Refused:
        """As many servers as are needed, on a network that only the NICs limit."""
        gpu, nodes, nic = key
        path = self.folder / f"{gpu}-{nodes}-{nic}.xml"
        words = ["platform", "--gpu", gpu, "--nodes", str(nodes), "--fabric", "star", "--out", str(path)]
        words += ["--nic", f"{nic}Gbps", "--nics", str(names.GPUS_OF_SERVER.get(gpu, 8))] if nic else []
        answer = self.simulator.run(*self.simulator.with_devices(words))
        return path if answer.returncode == 0 else Refused(general(answer.stderr))

    def file(self, what: str, text: str) -> pathlib.Path:
        """A file with this text; rows that ask the same share it, and may ask at the same time."""
        path = self.folder / f"{what}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.textproto"
        if not path.exists():
            handle, name = tempfile.mkstemp(dir=self.folder)
            with os.fdopen(handle, "w", encoding="utf-8") as written:
                written.write(text)
            os.replace(name, path)
        return path

    def result(self, question: dict, sequences: int, prompt: int, output: int, share: float) -> dict:
        platform = self.platforms[self.platform_key(question)]
        if isinstance(platform, Refused):
            raise platform
        text = (f'model: "{self.file("model", question["model"])}"\nplatform: "{platform}"\n{question["layout"]}\nmemory_fraction: {share}\n'
                f"batch {{ sequences: {sequences} prompt_tokens: {prompt} output_tokens: {output} }}\n")
        words = ["run", str(self.file("plan", text)), "--json", "--quiet", "--no-uniform-run"]
        words += ["--engine", question["engine"]] if question["engine"] in self.simulator.engines else []
        answer = self.simulator.run(*words)
        if answer.returncode not in (0, 1) or not answer.stdout:
            raise Refused(general(answer.stderr))
        return json.loads(answer.stdout)

    def static(self, question: dict) -> tuple[float, str]:
        found = self.result(question, question["sequences"], question["prompt"], question["output"], WHOLE)
        remark = "" if found["memory"]["fits"] else "does not fit in memory here"
        if question["quantity"] == "e2e":
            return found["makespan_s"], remark
        quantity = {"ttft": ("ttft_s", "max"), "tpot": ("tpot_s", "mean")}[question["quantity"]]
        return found[quantity[0]][quantity[1]], remark

    def serving(self, question: dict) -> tuple[float, str]:
        prompt, output = question["prompt"], question["output"]
        around = max(1, prompt + output // 2 - STEPS // 2)
        batch = question["sequences"]
        steps = self.result(question, batch, around, STEPS + 1, SHARE)
        room = room_for(steps["memory"], batch)
        remark = ""
        if room < batch:
            if room < 1:
                raise Refused("does not fit in memory here")
            batch, remark = room, f"{room} of {batch} fit"
            steps = self.result(question, batch, around, STEPS + 1, SHARE)
        prefill = self.result(question, batch, prompt, 1, SHARE)["ttft_s"]["max"]
        return steps["decode_step_s"]["mean"] + prefill / output, remark

    def answer(self, row: Row) -> tuple[float | None, str, str]:
        """Seconds, why there are none, a remark."""
        try:
            seconds, remark = self.serving(row.question) if row.kind == SERVING else self.static(row.question)
            return seconds, "", remark
        except Refused as why:
            return None, str(why), ""

    def answers(self, rows: list[Row]) -> list[tuple[float | None, str, str]]:
        for row in rows:
            key = self.platform_key(row.question)
            if key not in self.platforms:
                self.platforms[key] = self.write_platform(key)
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return list(pool.map(self.answer, rows))


def room_for(memory: dict, batch: int) -> int:
    """Of `batch` sequences as long as those of a run, how many fit."""
    if memory["fits"]:
        return batch
    cache = next((each["bytes"] for each in memory["by_category"] if each["category"] == "kv_cache"), 0)
    free = memory["usable_bytes"] - (memory["peak_bytes"] - cache)
    return max(0, min(batch - 1, int(batch * free / cache))) if cache else 0
