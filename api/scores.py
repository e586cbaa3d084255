"""Teacher, plain and imitated student side by side: the three roles of a job and the gap between them."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, computed_field

Role = Literal["teacher", "plain", "imitated"]
ROLES: tuple[Role, ...] = ("teacher", "plain", "imitated")

# Which detector a stage trains.
ROLE_OF_STAGE: dict[str, Role] = {"teacher": "teacher", "baseline": "plain", "imitation": "imitated"}


class Scores(BaseModel):
    """Best mAP at IoU 0.5 so far, fractions in [0, 1], mean over seeds; null for what was not measured yet."""

    teacher: float | None = None
    plain: float | None = None
    imitated: float | None = None

    @classmethod
    def of(cls, by_stage: Mapping[str, float]) -> "Scores":
        """From the best accuracy of each stage."""
        return cls(**{role: by_stage.get(stage) for stage, role in ROLE_OF_STAGE.items()})

    # mypy knows no decorated properties; this order is pydantic's own.
    @computed_field  # type: ignore[prop-decorator]
    @property
    def gap_closed(self) -> float | None:
        """(imitated - plain) / (teacher - plain); null when a part is missing or the teacher is not the better one."""
        if self.teacher is None or self.plain is None or self.imitated is None or self.teacher <= self.plain:
            return None
        return (self.imitated - self.plain) / (self.teacher - self.plain)
