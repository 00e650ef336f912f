"""A bar chart as SVG, which needs no library: labels, bars and numbers."""

from collections.abc import Sequence
from html import escape

WIDTH, LABEL, BAR, GAP = 900, 330, 18, 6


def bars(title: str, values: Sequence[tuple[str, float]], unit: str) -> str:
    """Return a horizontal bar for each value; mjcore's stand out."""
    longest = max(value for _, value in values) or 1.0
    height = 50 + len(values) * (BAR + GAP)
    style = "text{font:13px sans-serif;fill:#222}.t{font-weight:bold}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
        f'<style>{style}</style><rect width="100%" height="100%" fill="#fff"/>',
        f'<text class="t" x="10" y="24">{escape(title)} ({escape(unit)})</text>',
    ]
    for i, (label, value) in enumerate(values):
        y = 40 + i * (BAR + GAP)
        length = (WIDTH - LABEL - 90) * value / longest
        colour = "#d2601a" if "mjcore" in label else "#8fa3b8"
        parts.append(f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>')
        parts.append(f'<text x="{LABEL + length + 6:.1f}" y="{y + 14}">{value:.2f}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
