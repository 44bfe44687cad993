"""A scatter plot as SVG: predicted against measured seconds, both logarithmic, a colour for each group of families."""
import math

from . import errors
from .row import Row

SIZE, LEFT, TOP, LEGEND = 640, 70, 20, 190
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#bcbd22", "#7f7f7f", "#000000",
           "#aec7e8", "#98df8a", "#ff9896")


def label(decade: int) -> str:
    unit = {-6: "us", -3: "ms", 0: "s", 3: "ks"}[3 * math.floor(decade / 3)]
    return f"{10 ** (decade % 3)} {unit}"


class Axes:
    def __init__(self, values: list[float]):
        self.low = max(-6, math.floor(math.log10(min(values))))
        self.high = min(5, math.ceil(math.log10(max(values))))

    def place(self, seconds: float) -> float:
        part = (math.log10(seconds) - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, part)) * SIZE

    def point(self, row: Row) -> tuple[int, int]:
        return LEFT + round(self.place(row.measured)), TOP + SIZE - round(self.place(row.predicted))


def grid(axes: Axes) -> list[str]:
    lines = [f'<rect x="{LEFT}" y="{TOP}" width="{SIZE}" height="{SIZE}" fill="none" stroke="#888"/>']
    for decade in range(axes.low, axes.high + 1):
        at = axes.place(10.0 ** decade)
        x, y = LEFT + at, TOP + SIZE - at
        lines.append(f'<path d="M{x:.0f} {TOP}v{SIZE}M{LEFT} {y:.0f}h{SIZE}" stroke="#ddd"/>')
        lines.append(f'<text x="{x:.0f}" y="{TOP + SIZE + 16}" text-anchor="middle">{label(decade)}</text>')
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{label(decade)}</text>')
    shift = SIZE * math.log10(2) / (axes.high - axes.low)
    lines.append(f'<path d="M{LEFT} {TOP + SIZE}l{SIZE} {-SIZE}" stroke="#000" fill="none"/>')
    lines.append(f'<path d="M{LEFT + shift:.1f} {TOP + SIZE}L{LEFT + SIZE} {TOP + shift:.1f}M{LEFT} {TOP + SIZE - shift:.1f}'
                 f'L{LEFT + SIZE - shift:.1f} {TOP}" stroke="#000" stroke-dasharray="4 4" fill="none"/>')
    lines.append(f'<text x="{LEFT + SIZE / 2:.0f}" y="{TOP + SIZE + 36}" text-anchor="middle">measured</text>')
    lines.append(f'<text transform="translate(16 {TOP + SIZE / 2:.0f}) rotate(-90)" text-anchor="middle">predicted</text>')
    return lines


def svg(rows: list[Row]) -> str:
    """Points that fall together are drawn once."""
    scored = [row for row in rows if row.scored]
    width, height = LEFT + SIZE + LEGEND, TOP + SIZE + 50
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="#fff"/>']
    if scored:
        axes = Axes([row.measured for row in scored] + [row.predicted for row in scored])
        lines += grid(axes)
        for at, (group, found) in enumerate(errors.by(scored, "group").items()):
            colour = COLOURS[at % len(COLOURS)]
            path = "".join(f"M{x} {y}h0" for x, y in sorted({axes.point(row) for row in found}))
            lines.append(f'<path d="{path}" stroke="{colour}" stroke-width="3" stroke-linecap="round" stroke-opacity="0.5" fill="none"/>')
            y = TOP + 14 + 18 * at
            lines.append(f'<circle cx="{LEFT + SIZE + 16}" cy="{y - 4}" r="4" fill="{colour}"/>')
            lines.append(f'<text x="{LEFT + SIZE + 28}" y="{y}">{group} ({len(found)})</text>')
    return "\n".join(lines + ["</svg>"]) + "\n"
