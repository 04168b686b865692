"""The costs as bars, in an SVG that needs nothing but a browser."""

from __future__ import annotations

from pathlib import Path

from bench.processes import ROOT
from bench.results import Measure, Results, per_chunk, per_request, per_stream
from bench.scenarios import SUBJECTS

FILE = ROOT / "docs" / "performance.svg"
PANELS: tuple[tuple[str, str, Measure], ...] = (
    ("burst", "CPU per chunk at full speed, µs", per_chunk),
    ("paced", "CPU per chunk, 50 streams of 50 chunks a second, µs", per_chunk),
    ("short", "CPU per request of 20 chunks, ms", per_request),
    ("many", "memory per open stream, KiB", per_stream),
)
COLOURS = ("#1a7f5a", "#5fb894", "#b4543a", "#8a8f98")
WIDTH, LABELS, BAR, GAP, TITLE = 760, 130, 18, 6, 30


def draw(results: Results, file: Path = FILE) -> None:
    panels = [panel for panel in PANELS if panel[0] in results.scenarios]
    height = TITLE + len(SUBJECTS) * (BAR + GAP) + 16
    body = [_panel(results, *panel, top=number * height) for number, panel in enumerate(panels)]
    total = len(panels) * height + 8
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" font-family="sans-serif" '
        f'font-size="13"><rect width="{WIDTH}" height="{total}" fill="#fff"/>{"".join(body)}</svg>\n',
        encoding="utf-8",
    )


def _panel(results: Results, scenario: str, title: str, measure: Measure, top: int) -> str:
    """One measure: a bar for each server, as long as its cost beside the dearest's."""
    values = [max(0.0, results.median(scenario, subject.name, measure)) for subject in SUBJECTS]
    scale = (WIDTH - LABELS - 80) / max(values)
    parts = [f'<text x="10" y="{top + 22}" font-weight="bold">{title}</text>']
    for row, (subject, value, colour) in enumerate(zip(SUBJECTS, values, COLOURS, strict=True)):
        y = top + TITLE + row * (BAR + GAP)
        length = max(1.0, value * scale)
        parts.append(f'<text x="{LABELS - 8}" y="{y + 14}" text-anchor="end">{subject.name}</text>')
        parts.append(f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>')
        parts.append(f'<text x="{LABELS + length + 6:.1f}" y="{y + 14}">{value:.3g}</text>')
    return "".join(parts)
