"""Put the report together: one HTML file that needs nothing beside it, no network and no script."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fgfi_core.evaluation.voc import VocReport, evaluate
from fgfi_core.report import curves, panels, samples, tables
from fgfi_core.report.gap import gap_line
from fgfi_core.report.inputs import ReportInputs
from fgfi_core.report.roles import ROLES
from fgfi_core.results import Role

TEMPLATES = Path(__file__).parent / "templates"
NAME = "report.html"
MAX_PROBLEMS = 100
NOTHING = "\N{EN DASH}"


def write(inputs: ReportInputs, folder: Path) -> Path:
    """Write the report into `folder`, made if needed; returns its path. Raises BadData for a broken image."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    path.write_text(render(inputs), encoding="utf-8")
    return path


def render(inputs: ReportInputs) -> str:
    """Return the report as HTML. Raises BadData for a broken image."""
    result = inputs.result
    shown_seeds = _best_seeds(inputs)
    evaluations: dict[Role, VocReport] = {
        role: evaluate(inputs.detections[role, seed], inputs.examples, result.classes)
        for role, seed in shown_seeds.items()
    }
    rows = tables.role_rows(result)
    return (
        _environment()
        .get_template("report.html")
        .render(
            style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
            result=result,
            spec=inputs.spec,
            spec_text=json.dumps(inputs.spec, indent=2, ensure_ascii=False),
            rows=rows,
            seeds=tables.seed_rows(result),
            classes=tables.class_rows(result, next(iter(evaluations.values()))),
            verdict=tables.verdict(result),
            gap=gap_line({row.identity.role: row.map50 for row in rows}),
            gap_line=gap_line,
            roles=[ROLES[role] for role in ROLES if role in evaluations],
            loss_chart=curves.loss_chart(inputs.history),
            map_chart=curves.map_chart(inputs.history),
            precision_recall=curves.precision_recall(evaluations),
            shown_seeds=shown_seeds,
            pictures=_pictures(inputs, shown_seeds, evaluations),
            images=len(inputs.examples),
            problems=inputs.problems[:MAX_PROBLEMS],
            problem_count=len(inputs.problems),
        )
    )


def _best_seeds(inputs: ReportInputs) -> dict[Role, int]:
    """The seed of each role that curves and pictures show: the best, which for the student is the one delivered."""
    best: dict[Role, int] = {}
    for role in ROLES:
        own = [training for training in inputs.result.trainings if training.role == role]
        if own:
            best[role] = max(own, key=lambda training: training.score.map50).seed
    return best


def _pictures(inputs: ReportInputs, seeds: dict[Role, int], evaluations: dict[Role, VocReport]) -> list[dict[str, Any]]:
    pictures = []
    for number, sample in enumerate(samples.worst_first(inputs, seeds, evaluations)):
        key = f"photo{number}"
        pictures.append(
            {
                "photograph": panels.photograph(key, sample.example),
                "id": sample.example.image_id,
                "truth": panels.truth_panel(key, sample, inputs.result.classes),
                "boxes": len(sample.example.labels),
                "regions": [panels.region_panel(key, sample, level) for level in range(len(sample.region))],
                "share": samples.region_share(sample.region),
                "roles": [
                    {
                        "identity": ROLES[role],
                        "panel": panels.detections_panel(key, sample, role, inputs.result.classes),
                        "true": int(shown.verdict.true.sum()),
                        "false": int(shown.verdict.false.sum()),
                        "missed": int(shown.verdict.missed.sum()),
                    }
                    for role, shown in sample.roles.items()
                ],
            }
        )
    return pictures


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = _percent
    environment.filters["points"] = lambda value: NOTHING if value is None else f"{100 * value:+.1f}"
    environment.filters["duration"] = _duration
    environment.filters["bytes"] = lambda size: f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
    return environment


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.1f}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"
