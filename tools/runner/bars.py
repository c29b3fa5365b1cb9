# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws a bar chart of ratios to a peer as SVG, readable on light and on dark pages."""

LABEL, SCALE, VALUE, STEP, TOP = 230, 400, 60, 19, 44     # widths, height of a row, height of the head
STYLE = """<style>
text { font: 12px sans-serif; fill: #24292f }
.grid { stroke: #8c959f; stroke-opacity: .35 }
.peer { stroke: #57606a }
.aim { stroke: #bc4c00; stroke-width: 2 }
.good { fill: #2da44e } .near { fill: #4493f8 } .bad { fill: #cf222e }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .peer { stroke: #9198a1 } }
</style>"""


def _bar(y, what, ratio, aim):
    kind = "good" if ratio <= aim else "near" if ratio <= 1 else "bad"
    width = min(ratio, 1.15) * SCALE
    at = LABEL + aim * SCALE
    return [f'<text x="{LABEL - 8}" y="{y + 11}" text-anchor="end">{what}</text>',
            f'<rect class="{kind}" x="{LABEL}" y="{y + 1}" width="{width:.1f}" height="{STEP - 6}" rx="2"/>',
            f'<path class="aim" d="M{at:.1f} {y}v{STEP - 4}"/>',
            f'<text x="{LABEL + max(width, aim * SCALE) + 6:.1f}" y="{y + 11}">{ratio * 100:.0f} %</text>']


def draw(title, rows):
    """rows: (what, ratio to the peer, ratio that is aimed at, marked in the bar)."""
    height = TOP + STEP * len(rows) + 10
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + SCALE + VALUE + 40}" '
           f'height="{height}">', STYLE, f'<text x="10" y="16">{title}</text>']
    for part in (0, 0.25, 0.5, 0.75, 1):
        x = LABEL + part * SCALE
        out.append(f'<path class="{"peer" if part == 1 else "grid"}" d="M{x:.1f} {TOP - 4}V{height - 6}"/>')
        out.append(f'<text x="{x:.1f}" y="{TOP - 9}" text-anchor="middle">{part * 100:.0f} %</text>')
    for number, (what, ratio, aim) in enumerate(rows):
        out += _bar(TOP + STEP * number, what, ratio, aim)
    return "\n".join(out + ["</svg>\n"])
