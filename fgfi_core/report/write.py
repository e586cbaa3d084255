"""Put the report together: one HTML file that needs nothing beside it, no network and no script."""

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fgfi_core import atomic
from fgfi_core.evaluation.report import DIFFICULTIES, ERROR_KINDS, Evaluation
from fgfi_core.report import confusion, curves, donuts, errors, findings, helped, illustrate, rules, tables
from fgfi_core.report.gap import gap_line
from fgfi_core.report.inputs import ReportInputs
from fgfi_core.report.photographs import Photographs
from fgfi_core.report.roles import ROLES
from fgfi_core.results import Role

TEMPLATES = Path(__file__).parent / "templates"
NAME = "report.html"
MAX_PROBLEMS = 100
MAX_BARS = 24
NOTHING = "\N{EN DASH}"


def write(inputs: ReportInputs, folder: Path) -> Path:
    """Write the report into `folder`, made if needed; returns its path. Raises BadData for a broken image."""
    path = folder / NAME
    atomic.write_text(path, render(inputs))
    return path


def render(inputs: ReportInputs) -> str:
    """Return the report as HTML. Raises BadData for a broken image."""
    result = inputs.result
    shown_seeds = best_seeds(inputs)
    shown: dict[Role, Evaluation] = {role: inputs.evaluations[role, seed] for role, seed in shown_seeds.items()}
    rows = tables.role_rows(result)
    photographs = Photographs()
    pairs = list(inputs.helped.values())
    # The delivered student's seed, for the pair of it and the plain one.
    pair_seed = shown_seeds.get("imitated")
    return (
        environment()
        .get_template("report.html")
        .render(
            style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
            result=result,
            spec=inputs.spec,
            spec_text=json.dumps(inputs.spec, indent=2, ensure_ascii=False),
            rows=rows,
            seeds=tables.seed_rows(result),
            classes=tables.class_rows(result, next(iter(shown.values()))),
            max_bars=MAX_BARS,
            verdict=tables.verdict(result),
            gap=gap_line({row.identity.role: row.map50 for row in rows}),
            gap_line=gap_line,
            roles=[ROLES[role] for role in ROLES if role in shown],
            coco=rules.coco_rows(result),
            kitti=rules.kitti_rows(result),
            kitti_means=rules.kitti_means(result),
            difficulties=DIFFICULTIES,
            sizes=helped.size_rows(helped.by_role(inputs.evaluations)),
            loss_chart=curves.loss_chart(inputs.history),
            map_chart=curves.map_chart(inputs.history),
            precision_recall=curves.precision_recall(shown),
            shown_seeds=shown_seeds,
            error_bars=errors.error_bars(shown),
            donuts=donuts.donuts(errors.error_bars(shown)),
            error_kinds=errors.kind_rows(shown),
            kinds=ERROR_KINDS,
            confusions=[(ROLES[role], confusion.confusion_table(one.confusion)) for role, one in shown.items()],
            class_changes=helped.class_changes(pairs),
            size_changes=helped.size_changes(pairs),
            changed=illustrate.changed(inputs, pair_seed, photographs),
            pair=inputs.helped.get(pair_seed) if pair_seed is not None else None,
            pair_seed=pair_seed,
            pictures=illustrate.worst(inputs, shown_seeds, photographs),
            distances=inputs.distances,
            own_region=inputs.regions is not None,
            levels=illustrate.distances(inputs, photographs),
            card=inputs.card,
            findings=findings.worst_first(inputs.findings) if inputs.findings else [],
            images=len(inputs.examples),
            problems=inputs.problems[:MAX_PROBLEMS],
            problem_count=len(inputs.problems),
        )
    )


def best_seeds(inputs: ReportInputs) -> dict[Role, int]:
    """The seed of each role that curves and pictures show: the best, which for the student is the one delivered."""
    best: dict[Role, int] = {}
    for role in ROLES:
        own = [training for training in inputs.result.trainings if training.role == role]
        if own:
            best[role] = max(own, key=lambda training: training.score.map50).seed
    return best


def environment(*, html: bool = True) -> Environment:
    """The templates and their filters. html: escape everything that is put in."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=html,  # noqa: S701 - off for text alone
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.tests["contains"] = lambda text, part: part in text
    made.filters["line"] = _line
    made.filters["percent"] = _percent
    made.filters["points"] = _points
    made.filters["duration"] = _duration
    made.filters["bytes"] = lambda size: f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
    return made


def _line(name: str) -> str:
    """A name that users gave, as a part of one line of Markdown, in a table or out of it: never a mark of it."""
    return " ".join(name.split()).replace("|", "\\|").replace("<", "&lt;")


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.1f}"


def _points(value: float | None) -> str:
    if value is None:
        return NOTHING
    rounded = round(100 * value, 1)
    return f"{rounded:+.1f}" if rounded else "0.0"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"
