"""What the reader of the data set dropped or doubted."""

from collections.abc import Iterator

from fgfi_core.preflight.check import Subject, Verdict

SHOWN = 20


def check(subject: Subject) -> Iterator[Verdict]:
    """A warning for each of the first problems, and one for the rest."""
    problems = subject.bench.dataset.problems
    for problem in problems[:SHOWN]:
        yield Verdict("warning", str(problem))
    if len(problems) > SHOWN:
        more = f"and {len(problems) - SHOWN} more problems of the data set."
        yield Verdict("warning", more, hint="The check of the data set lists them.")
