"""Puts fitted constants where the simulator reads them: one row a line, always in the same order."""
import pathlib
import re

from . import collectives

# Rows that no public table measures apart take those of another, because the same kernel moves the data; what a
# protocol makes of the network is NCCL's own (tuning.cc, hwLat, less the latency of a route, 2.7 us: the platform's
# links have it) and the layout of its lines (LL: 4 of 8 bytes are data, LL128: 120 of 128).
LIKE = {"nccl.tree.ll": "nccl.ring.ll", "nccl.tree.ll128": "nccl.ring.ll128", "nccl.tree.simple": "nccl.ring.simple",
        "nccl.ring.ll128": "nccl.ring.simple", "nccl.in_switch_tree.simple": "nccl.in_switch.simple", "nccl.pat.simple": "nccl.ring.simple",
        "nccl.message": "nccl.all_to_all.simple"}
ACROSS = {"ll": 0.5, "ll128": 0.9375, "simple": 1.0}
STEP_ACROSS = {"nccl.ring.ll": 0.0, "nccl.ring.ll128": 1.3, "nccl.ring.simple": 11.3, "nccl.tree.ll": 2.3, "nccl.tree.ll128": 5.8,
               "nccl.tree.simple": 11.3, "nccl.in_switch_tree.simple": 18.2, "nccl.pat.simple": 1.3, "nccl.all_to_all.ll": 0.0,
               "nccl.all_to_all.simple": 11.3, "nccl.message": 11.3}

FIELDS = ("inside", "across", "launch", "fill", "step_inside", "step_across", "copy")
SHARES = ("inside", "across", "copy")


def number(field: str, value: float) -> str:
    digits = f"{value:.3g}"
    return digits if field in SHARES else digits + "us"


def full_row(name: str, fit: collectives.Fit, launch: float | None) -> tuple[dict[str, float], str] | None:
    """The numbers of a row (times in us), and of which row they were fitted."""
    fitted = name
    while fitted not in fit.rows:
        if fitted not in LIKE:
            return None
        fitted = LIKE[fitted]
    row = dict(fit.rows[fitted])
    protocol = name.split(".")[-1]
    row["across"] = ACROSS.get(protocol, 1.0) * (0.75 if ".pat." in name else 1.0)
    row["step_across"] = STEP_ACROSS.get(name, 0.0)
    if ".ring." in name or ".all_to_all." in name or ".pat." in name:
        row["copy"] = fit.copy
    if launch is not None:
        row["launch"] = launch * 1e6
    # Below a hundredth of a microsecond nothing was measured.
    least = {field: 0.0 if field in SHARES else 0.01 for field in row}
    return {field: value for field, value in row.items()
            if value > least[field] and not (field == "across" and value == 1.0)}, fitted


def graph_start(fit: collectives.Fit) -> float:
    return next(start for source, start in fit.start.items() if source.startswith("aiconfigurator"))


def device_line(line: str, fit: collectives.Fit) -> str:
    """A row of a device file with the fit's numbers; that of a relative says whose it is and stays as it is otherwise."""
    matched = re.match(r'collectives \{ of: "([^"]*)" .*?(kind: .*) \}$', line)
    found = full_row(matched[1], fit, graph_start(fit)) if matched else None
    if found is None:
        return line
    row, fitted = found
    numbers = " ".join(f'{field}: "{number(field, row[field])}"' for field in FIELDS if field in row)
    rest = matched[2]
    if rest.startswith("kind: measured") and matched[1].startswith("nccl."):
        note = "one domain, CUDA graphs" if fitted == matched[1] else f"that of {fitted}"
        if "step_across" in row or "across" in row:
            note += "; across: NCCL's tuning.cc"
        rest = f'kind: measured source: "fit" note: "{note}"'
    return f'collectives {{ of: "{matched[1]}" {numbers} {rest} }}'


def device_files(root: pathlib.Path, fitted: dict) -> None:
    """Of each device that was fitted, and of those whose rows are its."""
    for path in sorted((root / "platforms" / "devices").glob("*.textproto")):
        lines = path.read_text(encoding="utf-8").splitlines()
        base = next((matched[1] for line in lines if line.startswith("collectives {")
                     for matched in [re.search(r'kind: assumed source: "here" note: "that of ([^:"]*)', line)] if matched), path.stem)
        if base not in fitted:
            continue
        lines = [device_line(line, fitted[base]) if line.startswith("collectives {") else line for line in lines]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def means(root: pathlib.Path, fitted: dict) -> None:
    """The rows of the fit in the table for GPUs without measurements; those of other libraries stay."""
    path = root / "sim" / "collectives" / "libraries" / "unmeasured_costs.cpp"
    lines = path.read_text(encoding="utf-8").splitlines()
    for at, line in enumerate(lines):
        matched = re.match(r'\s*\{"([^"]*)",$', line)
        having = [full_row(matched[1], fit, None) for fit in fitted.values()] if matched else []
        having = [found[0] for found in having if found is not None]
        if not having:
            continue
        default = {field: 1.0 if field in ("inside", "across") else 0.0 for field in FIELDS}
        row = {field: sum(each.get(field, default[field]) for each in having) / len(having) for field in FIELDS}
        values = []
        for field in FIELDS:
            value = row[field]
            if field == "launch":
                values.append(".launch = {}")
            elif field in SHARES:
                values.append(f".{field} = {value:.4g}")
            else:
                values.append(f".{field} = {{{value:.4g}e-6}}" if value else f".{field} = {{}}")
        lines[at + 1] = f'     {{{", ".join(values)}}}}},'
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
