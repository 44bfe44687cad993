"""Asks the simulator: batches of operators and of collectives."""
import csv
import pathlib
import re
import subprocess

from .row import Row

OPERATOR_COLUMNS = ("kind", "gpu", "m", "n", "k", "dtype", "kv_dtype", "tokens", "hidden", "ffn", "experts", "top_k", "ep", "gated",
                    "batch", "context", "heads", "kv_heads", "head_dim", "causal", "bytes")
COLLECTIVE_COLUMNS = ("op", "gpu", "ranks", "ranks_per_node", "nics_per_node", "nic_gbps", "bytes", "dtype", "library", "tokens", "hidden",
                      "experts", "top_k")

LONE = "costs that no other GPU has"


def general(reason: str) -> str:
    """A message without its place and its numbers, so that alike ones are counted together."""
    text = reason.strip().splitlines()[0] if reason.strip() else "no answer"
    text = re.sub(r"^.*?: error: ", "", text)
    return re.sub(r"\d[\d.,]*", "N", text)[:120]


def time_and_reason(answer: dict[str, str]) -> tuple[float | None, str]:
    return (float(answer["time_s"]), "") if answer["time_s"] else (None, general(answer["reason"]))


class Simulator:
    def __init__(self, binary: str, folder: pathlib.Path, devices: pathlib.Path | None = None):
        self.binary, self.folder, self.devices = binary, folder, devices
        self.folder.mkdir(parents=True, exist_ok=True)
        commands = set(re.findall(r"^ +(\w+) ", self.run("--help").stdout, re.MULTILINE))
        self.engines = self.names_of("engines") if "engines" in commands else []
        self.has_operator = "operator" in commands

    def run(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.binary, *words], capture_output=True, text=True, check=False)

    def names_of(self, command: str) -> list[str]:
        """The first words of what it lists; none where there is no such command."""
        answer = self.run(command)
        return [line.split()[0] for line in answer.stdout.splitlines() if line.strip()] if answer.returncode == 0 else []

    def with_devices(self, words: list[str]) -> list[str]:
        return words + (["--devices", str(self.devices)] if self.devices else [])

    def batch(self, command: str, rows: list[Row], columns: tuple[str, ...], *options: str) -> list[dict[str, str]]:
        """The answers, row by row."""
        path = self.folder / f"{command}.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            for row in rows:
                assert set(row.question) <= set(columns), row
                writer.writerow([row.question.get(column, "") for column in columns])
        answer = self.run(*self.with_devices([command, "--batch", str(path), *options]))
        if answer.returncode != 0:
            raise RuntimeError(f"rehearse {command} --batch: {answer.stderr}")
        found = list(csv.DictReader(answer.stdout.splitlines()))
        assert len(found) == len(rows), f"{command}: {len(found)} answers to {len(rows)} rows"
        return found

    def operators(self, rows: list[Row], lone: dict[str, set[str]]) -> list[tuple[float | None, str]]:
        """`lone`: rows of costs, by GPU, that only this GPU has."""
        if not self.has_operator:
            return [(None, "no command for operators")] * len(rows)
        found = []
        for row, answer in zip(rows, self.batch("operator", rows, OPERATOR_COLUMNS), strict=True):
            costs = {row.question["kind"], f"{row.question['kind']}.{row.question.get('dtype')}"}
            found.append((None, LONE) if costs & lone.get(row.gpu, set()) else time_and_reason(answer))
        return found

    def collectives(self, rows: list[Row], lone: dict[str, set[str]]) -> list[tuple[float | None, str]]:
        found = []
        for row, answer in zip(rows, self.batch("collective", rows, COLLECTIVE_COLUMNS, "--terms"), strict=True):
            alone = answer["row"] in lone.get(row.gpu, set())
            found.append((None, LONE) if alone else time_and_reason(answer))
        return found

