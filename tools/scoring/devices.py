"""Which GPUs were measured, and device files of them with what the others reach: a GPU that nobody measured."""
import pathlib
import re

# An entry of a device file on a line of its own: what it is of, its numbers, where they are from.
CONSTANT = re.compile(r'^constant \{ name: (?P<of>\w+) value: "(?P<value>[^"]*)" (?P<origin>kind: (?P<kind>\w+) .*)\}$')
COSTS = re.compile(r'^(?P<what>collectives|operators) \{ of: "(?P<of>[^"]*)" (?P<numbers>.*?) ?(?P<origin>kind: (?P<kind>\w+) .*)\}$')
NUMBER = re.compile(r'(\w+): "([^"]*)"')
QUANTITY = re.compile(r"^([0-9.eE+-]+)\s*([a-zA-Z]*)$")
MICROSECONDS = {"": 1.0, "ps": 1e-6, "ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
# Of the numbers of a row that are left out, in the schema; "": there is no default, the mean is of those that have it.
ABSENT = {"inside": "1", "across": "1", "compute": "1", "memory": "1", "copy": ""}
GUESS = 'guesses: "what its kernels and collectives reach is the mean of other GPUs"'


def lines_of(folder: pathlib.Path) -> dict[str, list[str]]:
    return {path.stem: path.read_text(encoding="utf-8").splitlines() for path in sorted(folder.glob("*.textproto"))}


def measured(lines: list[str], what: str) -> set[str]:
    """The rows of costs that were measured on a GPU."""
    return {row["of"] for row in filter(None, map(COSTS.match, lines)) if row["what"] == what and row["kind"] == "measured"}


def with_kernels(files: dict[str, list[str]]) -> set[str]:
    """GPUs whose operators were measured: by kind, or where no file has kinds, by the efficiency of products."""
    found = {gpu for gpu, lines in files.items() if measured(lines, "operators")}
    efficiency = {gpu for gpu, lines in files.items() for entry in filter(None, map(CONSTANT.match, lines))
                  if entry["of"] == "compute_efficiency" and entry["kind"] == "measured"}
    return found or efficiency


def with_collectives(files: dict[str, list[str]]) -> dict[str, set[str]]:
    """The measured rows of collectives, by GPU."""
    found = {gpu: measured(lines, "collectives") for gpu, lines in files.items()}
    return {gpu: rows for gpu, rows in found.items() if rows}


def value_of(text: str) -> tuple[float, bool]:
    """A number, a time in microseconds; and whether it is a time."""
    number, unit = QUANTITY.match(text).groups()
    return float(number) * MICROSECONDS[unit], bool(unit)


def mean_text(texts: list[str]) -> str:
    values = [value_of(text) for text in texts]
    mean = sum(value for value, _ in values) / len(values)
    return f"{mean:.4g}" + ("us" if any(is_time for _, is_time in values) else "")


def mean_numbers(entries: list[dict[str, str]]) -> str:
    found = []
    for field in sorted({field for entry in entries for field in entry}):
        texts = [entry.get(field, ABSENT.get(field, "0us")) for entry in entries]
        found.append(f'{field}: "{mean_text([text for text in texts if text])}"')
    return " ".join(found)


class Others:
    """What the other GPUs reach, of those that were measured."""

    def __init__(self, files: dict[str, list[str]]):
        self.constants: dict[str, dict[str, str]] = {}
        self.rows: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
        for gpu, lines in files.items():
            for line in lines:
                constant, row = CONSTANT.match(line), COSTS.match(line)
                if constant and constant["kind"] == "measured":
                    self.constants.setdefault(constant["of"], {})[gpu] = constant["value"]
                if row and row["kind"] == "measured":
                    self.rows.setdefault((row["what"], row["of"]), {})[gpu] = dict(NUMBER.findall(row["numbers"]))

    def line(self, gpu: str, line: str) -> str | None:
        """A line of the GPU's file with the others' numbers; None: nobody else has it."""
        constant, row = CONSTANT.match(line), COSTS.match(line)
        if constant:
            values = [value for other, value in self.constants.get(constant["of"], {}).items() if other != gpu]
            if not values:
                return line
            return f'constant {{ name: {constant["of"]} value: "{mean_text(values)}" {assumed(constant["origin"])}}}'
        if row:
            entries = [numbers for other, numbers in self.rows.get((row["what"], row["of"]), {}).items() if other != gpu]
            if not entries:
                return None
            return f'{row["what"]} {{ of: "{row["of"]}" {mean_numbers(entries)} {assumed(row["origin"])}}}'
        return line


def assumed(origin: str) -> str:
    return origin.replace("kind: measured", "kind: assumed")


def write_left_out(devices: pathlib.Path, folder: pathlib.Path) -> dict[str, set[str]]:
    """Writes each measured GPU as if it were not. Returns, by GPU, the rows of costs that nobody else has."""
    files = lines_of(devices)
    others = Others(files)
    lone: dict[str, set[str]] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for gpu in sorted(with_kernels(files) | set(with_collectives(files))):
        found = [others.line(gpu, line) for line in files[gpu]]
        lone[gpu] = {COSTS.match(line)["of"] for line, new in zip(files[gpu], found) if new is None}
        kept = [line for line in found if line is not None]
        if not any(line.startswith("guesses:") for line in kept):
            kept.append(GUESS)
        (folder / f"{gpu}.textproto").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return lone
