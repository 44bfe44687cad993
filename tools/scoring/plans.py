"""Runs plans, as many at once as there are processors; a plan whose result has several quantities that were measured runs once."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import tempfile

from . import names
from .row import STATIC, Row
from .simulator import Simulator, general

SERVED = 0.99  # of the requests, at least: a few drawn lengths may be longer than the engine takes
WHOLE = 1.0  # of a GPU's memory: a static batch was there; of a service the engine's own share holds


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

    def words_of(self, row: Row) -> tuple[str, ...] | Refused:
        """What `rehearse` is asked."""
        question = row.question
        platform = self.platforms[self.platform_key(question)]
        if isinstance(platform, Refused):
            return platform
        model = question.get("gallery") or self.file("model", question["model"])
        share = f"memory_fraction: {WHOLE}\n" if row.kind == STATIC else ""
        text = f'model: "{model}"\nplatform: "{platform}"\n{question["layout"]}\n{share}{question["job"]}\n'
        engine = ("--engine", question["engine"]) if row.kind == STATIC and question["engine"] in self.simulator.engines else ()
        cache = ("--set", f"model.kv_dtype={question['cache']}") if "gallery" in question else ()
        return ("run", str(self.file("plan", text)), "--json", "--quiet", "--no-uniform-run", *engine, *cache)

    def result(self, words: tuple[str, ...]) -> dict | Refused:
        answer = self.simulator.run(*words)
        if answer.returncode not in (0, 1) or not answer.stdout:
            return Refused(general(answer.stderr))
        return json.loads(answer.stdout)

    def answers(self, rows: list[Row]) -> list[tuple[float | None, str, str]]:
        """Each with its quantity in seconds, why there is none, a remark."""
        for row in rows:
            key = self.platform_key(row.question)
            if key not in self.platforms:
                self.platforms[key] = self.write_platform(key)
        words = [self.words_of(row) for row in rows]
        asked = list(dict.fromkeys(each for each in words if not isinstance(each, Refused)))
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            results = dict(zip(asked, pool.map(self.result, asked), strict=True))
        found = [each if isinstance(each, Refused) else results[each] for each in words]
        return [answer_of(row, each) for row, each in zip(rows, found, strict=True)]


def quantity_of(row: Row, result: dict) -> float:
    quantity = row.question["quantity"]
    if row.kind == STATIC:
        return result["makespan_s"] if quantity == "e2e" else result[f"{quantity}_s"][{"ttft": "max", "tpot": "mean"}[quantity]]
    return 1 / result["serving"]["output_tokens_per_s_per_gpu"] if quantity == "throughput" else result[f"{quantity}_s"]["mean"]


def answer_of(row: Row, result: dict | Refused) -> tuple[float | None, str, str]:
    if isinstance(result, Refused):
        return None, str(result), ""
    if row.kind != STATIC and result["serving"]["completed"] < SERVED * result["serving"]["requests"]:
        return None, "requests are refused: longer than the engine takes", ""
    fits = row.kind != STATIC or result["memory"]["fits"]
    return quantity_of(row, result), "", "" if fits else "does not fit in memory here"
