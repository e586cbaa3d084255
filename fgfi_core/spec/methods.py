"""The distillation methods and their fields: one model each, told apart by `name`. Imports no torch."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Method(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NoImitation(_Method):
    """The control: the student trains on the labels alone."""

    name: Literal["none"] = "none"


class FineGrained(_Method):
    """Fine-grained feature imitation: imitate the teacher near objects only (Wang et al., CVPR 2019)."""

    name: Literal["fine-grained"] = "fine-grained"
    threshold: float = Field(0.5, ge=0, le=1, description="psi: keep anchors with IoU > psi * best IoU of the box.")
    weight: Annotated[float, Field(gt=0, le=1e6)] | Literal["auto"] = Field(
        "auto", description="lambda of the imitation loss; auto measures gradients first and freezes the weight."
    )
    balance: float = Field(
        0.5, gt=0, le=100, description="With weight auto: gradient norm of imitation over detection at the map."
    )
    balance_steps: int = Field(20, ge=1, le=10_000, description="With weight auto: steps over which it is measured.")
    start_step: int = Field(0, ge=0, description="First step at which imitation is on.")
    levels: Literal["joint", "assigned", "separate"] = "joint"


Method = Annotated[NoImitation | FineGrained, Field(discriminator="name")]
METHODS: dict[str, type[NoImitation] | type[FineGrained]] = {"none": NoImitation, "fine-grained": FineGrained}
