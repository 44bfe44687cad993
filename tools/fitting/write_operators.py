"""Puts the constants of kernels where the simulator reads them: a row a line of a device file, always in the same order.

A GPU of which nobody measured a kernel takes the row of its nearest relative, or the mean of all that were measured, and
says so."""
import pathlib
import re

from . import operators

# Of which family a GPU's kernels are; others take the mean.
RELATIVE = {"a100-40": "a100", "a100-pcie": "a100", "a800": "a100", "a40": "a100", "h200": "h100", "h800": "h100", "h20": "h100",
            "h100-pcie": "h100", "h100-nvl": "h100", "gh200": "h100", "b200": "gb200-nvl72", "b300": "gb200-nvl72",
            "gb300-nvl72": "gb200-nvl72", "rtx4090": "l40s", "rtx-pro-6000": "l40s"}
ORDER = ([f"{kind}.{dtype}" for kind in ("gemm", "moe") for dtype in ("bf16", "fp8", "fp8_static", "fp8_block", "int8", "int4", "nvfp4", "mxfp4",
                                                                      "mxfp4_fp8")]
         + ["attention_prefill", "attention_decode", "mla_prefill", "mla_decode", "elementwise", "sampling"])
UNITS = {"launch": "us", "compute": "", "memory": "", "depth": "ns"}
KEYS = {"aiconfigurator": "kernelfit", "own": "ownkernels"}


def numbers(constants: dict[str, float]) -> str:
    return " ".join(f'{field}: "{constants[field]:.3g}{UNITS[field]}"' for field in operators.FIELDS
                    if field in constants and (constants[field] >= 0.005 or field in ("compute", "memory")))


def multiplies(name: str, text: str) -> bool:
    """Whether a GPU has units for what the row multiplies; without them it takes the row of 16 bits."""
    dtype = name.partition(".")[2]
    peaks = re.search(r"^peak \{.*?^\}", text, re.MULTILINE | re.DOTALL).group()
    wanted = {"nvfp4": ("fp4",), "mxfp4_fp8": ("fp4",), "fp8": ("fp8",), "fp8_static": ("fp8",), "fp8_block": ("fp8",), "int8": ("int8", "fp8")}.get(dtype, ())
    return not wanted or any(f"  {peak} {{" in peaks for peak in wanted)


def lines_of(gpu: str, text: str, fits: dict, sources: dict[tuple[str, str], str]) -> list[str]:
    own = fits.get(gpu, {})
    relative = RELATIVE.get(gpu, "")
    means = operators.mean_of(list(fits.values()))
    lines = []
    for name in ORDER:
        if not multiplies(name, text):
            continue
        if name in own:
            key = KEYS[sources[gpu, name]]
            lines.append(f'operators {{ of: "{name}" {numbers(own[name].constants)} kind: measured source: "{key}" '
                         f'note: "fit to {own[name].rows} times" }}')
        elif name in fits.get(relative, {}):
            lines.append(f'operators {{ of: "{name}" {numbers(fits[relative][name].constants)} kind: assumed source: "here" '
                         f'note: "that of {relative}" }}')
        elif name in means:
            lines.append(f'operators {{ of: "{name}" {numbers(means[name])} kind: assumed source: "here" '
                         f'note: "the mean of the GPUs that were measured" }}')
    return lines


SOURCES = {
    "kernelfit": 'source { key: "kernelfit" text: "tools/fit on kernel times published by ai-dynamo/aiconfigurator@095f58a (TensorRT-LLM\'s '
                 'matrix products and fused experts, vLLM 0.14\'s attention, TensorRT-LLM\'s MLA)" date: "2026-11-27" }',
    "ownkernels": 'source { key: "ownkernels" text: "tools/fit on kernel times measured by this project (platforms/measured)" date: "2026-11-27" }',
    "here": 'source { key: "here" text: "this catalogue" date: "2026-11" }',
}


def device_files(root: pathlib.Path, found: list, fits: dict) -> None:
    sources = {(row.gpu, row.row): row.source for row in found}
    for path in sorted((root / "platforms" / "devices").glob("*.textproto")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("operators {")
                 and 'key: "kernelfit"' not in line and 'key: "ownkernels"' not in line]
        text = "\n".join(lines)
        rows = lines_of(path.stem, text, fits, sources)
        for key, source in SOURCES.items():
            used = any(f'source: "{key}"' in row for row in rows)
            if used and f'key: "{key}"' not in text:
                last = max(at for at, line in enumerate(lines) if line.startswith("source {"))
                lines.insert(last + 1, source)
        if any("kind: assumed" in row for row in rows) and not any(line.startswith("guesses:") for line in lines):
            at = next(at for at, line in enumerate(lines) if line.startswith("architecture:"))
            lines.insert(at + 1, f'guesses: "{path.stem}: constants of kernels that nobody measured on it are those of other GPUs"')
        behind = max(at for at, line in enumerate(lines) if re.match(r"(collectives|constant) \{", line))
        lines[behind + 1:behind + 1] = rows
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
