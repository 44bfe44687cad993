"""One measured number, the question that the simulator is asked for it, and its answer."""
import dataclasses

OPERATOR, COLLECTIVE, STATIC, SERVING = "operator", "collective", "static", "serving"


@dataclasses.dataclass
class Row:
    file: str                    # of the folder of measured rows
    name: str                    # the row's id there, or its shape
    source: str                  # rows of one source and machine share their way of measuring
    origin: str                  # what the file says: a source may have several tables, of several versions
    family: str = ""             # "gemm.bf16": a group, and what sets its rows apart
    gpu: str = ""                # of the catalogue
    measured: float = 0.0        # seconds
    kind: str = ""               # of the question: OPERATOR, ...
    question: dict = dataclasses.field(default_factory=dict)  # columns of a batch, or what a plan is made of
    reason: str = ""             # why it is not scored
    predicted: float | None = None
    left_out: float | None = None  # with the constants of the other GPUs
    own: bool = False            # the GPU's constants were measured on it
    remark: str = ""

    @property
    def published(self) -> bool:
        return not self.file.startswith("platforms/")

    @property
    def group(self) -> str:
        return self.family.split(".")[0]

    @property
    def scored(self) -> bool:
        return not self.reason and self.predicted is not None

    @property
    def error(self) -> float:
        return self.predicted / self.measured - 1

    @property
    def key(self) -> tuple:
        """Rows with the same key ask the same of the same table of a source."""
        return (self.origin, self.gpu, self.family, self.kind, tuple(sorted(self.question.items())))


def refuse_repeated(rows: list[Row]) -> None:
    """Of rows of one table that ask the same the middle one counts, of two the shorter: a table lists runs again, and what
    each of two kernels takes, of which an engine runs the faster; and some rows are in two files."""
    asked: dict[tuple, list[Row]] = {}
    for row in rows:
        if not row.reason:
            asked.setdefault(row.key, []).append(row)
    for same in asked.values():
        same.sort(key=lambda row: row.measured)
        middle = same[(len(same) - 1) // 2]
        for row in same:
            if row is not middle:
                row.reason = "the same question again (the middle time counts, of two the shorter)"
