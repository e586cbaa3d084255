"""The trained teacher knows something worth imitating."""

from collections.abc import Iterator

from fgfi_core.preflight.check import Subject, Verdict
from fgfi_core.results import Score
from fgfi_core.training.trainings import Bench

TRIAL_STEPS = 100  # of a student; in fewer nothing is learned, and there is nothing to save by refusing


def check(subject: Subject) -> Iterator[Verdict]:
    """Refuses a teacher whose mAP on val is below the floor, in a trial only warns; warns of classes it never finds."""
    if subject.teacher is None:
        return
    bench, score = subject.bench, subject.teacher.trained.score
    floor = bench.resolved.spec.preflight.teacher_floor
    numbers = {"teacher_map50": score.map50, "teacher_floor": floor}
    if score.map50 < floor:
        yield _below(bench, score, numbers)
    else:
        yield Verdict("ok", f"the teacher's mAP on val is {score.map50:.3f}.", numbers=numbers)
    missed = [name for name, ap in score.ap50.items() if ap == 0]
    if missed and len(missed) < len(score.ap50):
        yield Verdict(
            "warning",
            f"the teacher finds nothing of {', '.join(missed)} in val: there the student can learn only its mistakes.",
            hint="Look at the annotations of these classes, or train the teacher longer.",
        )


def _below(bench: Bench, score: Score, numbers: dict[str, float]) -> Verdict:
    trial = bench.steps("student") < TRIAL_STEPS
    text = (
        f"the teacher's mAP on val is {score.map50:.3f}, below the floor of {numbers['teacher_floor']:g} "
        "(preflight.teacher_floor): imitating it teaches nothing."
    )
    if bench.epochs("teacher") == 0:
        hint = "Check that the file was trained on data like this, or set teacher.epochs above 0 to train it here."
    else:
        hint = "Train the teacher longer (teacher.epochs), at another learning rate, or from ImageNet weights."
    return Verdict(
        "warning" if trial else "refused",
        text
        + (f" The students train {bench.steps('student')} steps only, so this counts as a trial." if trial else ""),
        hint=f"{hint} To go on all the same, set preflight.force.",
        numbers=numbers,
        judgement=True,
    )
