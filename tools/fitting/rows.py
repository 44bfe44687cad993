"""Measured rows of NCCL, as the simulator's batch command takes them, and what it says they depend on."""
import csv
import dataclasses
import pathlib
import subprocess
import tempfile

GPUS = {
    "A100-SXM-80": "a100", "A100-SXM-40": "a100-40", "H100-SXM-80": "h100", "H200-SXM-141": "h200", "H800-SXM-80": "h800",
    "GB200-NVL72": "gb200-nvl72", "B200-SXM-180": "b200", "H100-NVL": "h100-nvl", "L40S": "l40s", "A100-PCIe-80": "a100-pcie",
    "H20-SXM-96": "h20",
}
OPS = {"all_reduce": "all_reduce", "all_gather": "all_gather", "reduce_scatter": "reduce_scatter",
       "alltoall": "all_to_all", "all_to_all": "all_to_all", "send_recv": "send_recv"}


@dataclasses.dataclass
class Row:
    source: str      # rows of one source share what starting a collective costs there
    gpu: str
    op: str
    ranks: int
    per_node: int
    bytes: int
    dtype: str
    seconds: float
    nic_gbps: float = 0.0
    algorithm: str = ""  # the simulator's answer, from here on
    protocol: str = ""
    row: str = ""        # of the constants
    latency: float = 0.0
    rounds_inside: float = 0.0
    rounds_across: float = 0.0
    inside: float = 0.0  # seconds of the fullest link at its own rate
    across: float = 0.0
    copy: float = 0.0    # and of the memory
    answer: float = 0.0  # with the constants that the simulator has, started from a graph

    @property
    def one_domain(self) -> bool:
        return self.ranks <= self.per_node


def ranks_per_node(row: dict[str, str]) -> int:
    """GPUs of a row that share a scale-up domain."""
    ranks, nodes = int(row["n_gpus"]), int(row["n_nodes"] or 1)
    domain = int(row["gpus_per_scaleup"] or ranks)
    return ranks if ranks <= domain and (nodes == 1 or domain > 8) else ranks // nodes


def nccl(folder: pathlib.Path) -> list[Row]:
    """Rows of NCCL itself: neither engines' kernels nor switches of a network that add up."""
    found = []
    for row in csv.DictReader(open(folder / "bulk" / "aic_nccl_full.csv", encoding="utf-8")):
        if row["system"] not in GPUS or row["op"] not in OPS:
            continue
        ranks = int(row["n_gpus"])
        found.append(Row("aiconfigurator " + row["system"], GPUS[row["system"]], OPS[row["op"]], ranks, ranks,
                         int(row["size_bytes"]), row["dtype"], float(row["time_us"]) * 1e-6))
    for row in csv.DictReader(open(folder / "collectives.csv", encoding="utf-8")):
        library = row["lib"]
        if (not library.startswith("NCCL") or "SHARP" in library or row["hw"] not in GPUS or row["op"] not in OPS
                or row["source"].startswith("ai-dynamo") or not row["time_us"] or not row["size_bytes"]
                or row["algo"].startswith("Ring")):
            continue
        ranks, per_node = int(row["n_gpus"]), ranks_per_node(row)
        found.append(Row(row["source"].split(" ")[0] + " " + row["hw"], GPUS[row["hw"]], OPS[row["op"]], ranks, per_node,
                         int(float(row["size_bytes"])), row["dtype"], float(row["time_us"]) * 1e-6,
                         float(row["nic_Gbps_per_gpu"] or 0)))
    return found


def with_terms(found: list[Row], binary: str) -> list[Row]:
    """The rows that the simulator can price, with what it says of them."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["op", "gpu", "ranks", "ranks_per_node", "nic_gbps", "nics_per_node", "bytes", "dtype", "library"])
        for row in found:
            nics = row.per_node if row.nic_gbps and not row.one_domain else ""
            writer.writerow([row.op, row.gpu, row.ranks, row.per_node, row.nic_gbps if nics else "", nics, row.bytes,
                             "bf16", "nccl_graphs"])
        file.flush()
        answer = subprocess.run([binary, "collective", "--batch", file.name, "--terms"], check=True, capture_output=True,
                                text=True)
    priced = []
    for row, said in zip(found, csv.DictReader(answer.stdout.splitlines()), strict=True):
        if not said["time_s"]:
            continue
        row.answer = float(said["time_s"])
        row.algorithm, row.protocol, row.row = said["algorithm"], said["protocol"], said["row"]
        row.latency = float(said["latency_s"])
        row.rounds_inside = float(said["rounds_inside"])
        row.rounds_across = float(said["rounds_across"])
        row.inside, row.across, row.copy = float(said["inside_s"]), float(said["across_s"]), float(said["copy_s"])
        priced.append(row)
    return priced
