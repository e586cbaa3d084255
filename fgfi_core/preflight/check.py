"""What a check is: a name, a question to a job, and verdicts for an answer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from fgfi_core.errors import BadSpec, JobError
from fgfi_core.preflight.pair import Pair, build
from fgfi_core.preflight.report import Severity
from fgfi_core.spec import Imitation
from fgfi_core.training.trainings import Bench, Finished


@dataclass(frozen=True)
class Subject:
    """What is checked. teacher: trained or loaded, in the second phase."""

    bench: Bench
    teacher: Finished | None = None

    @cached_property
    def pair(self) -> Pair | None:
        """Teacher, student and method, built for the checks alone; None where nothing is imitated.

        Raises BadSpec for a pair that the method cannot serve.
        """
        method = self.bench.resolved.spec.method
        if not isinstance(method, Imitation):
            return None
        return build(self.bench, method, None if self.teacher is None else self.teacher.detector)


@dataclass(frozen=True)
class Verdict:
    """One answer. error: what a refusal raises. judgement: whether `preflight.force` makes it a warning."""

    severity: Severity
    message: str
    hint: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    error: type[JobError] = BadSpec
    judgement: bool = False


@dataclass(frozen=True)
class Check:
    """An entry of the table. after: checks whose refusal leaves this one without a subject."""

    name: str
    run: Callable[[Subject], Iterator[Verdict]]
    after: tuple[str, ...] = ()
