"""The distillation methods and their fields: one model each, told apart by `name`. Imports no torch."""

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

Weight = Annotated[float, Field(gt=0, le=1e6)] | Literal["auto"]
SOFTENS = "Softens the distributions that are compared; 1 leaves them as they are."
Levels = Literal["joint", "assigned", "separate"]
# For regions that do not depend on a box's best IoU, so that there is none to be joint or separate about.
AllOrAssigned = Literal["joint", "assigned"]


class Term(NamedTuple):
    """How one loss term is weighted: a number, or `auto` with the gradients' ratio it aims at."""

    weight: float | Literal["auto"]
    balance: float


class _Method(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NoImitation(_Method):
    """The control: the student trains on the labels alone."""

    name: Literal["none"] = "none"


class Imitation(_Method):
    """What every method that has a teacher shares."""

    weight: Weight = Field(
        "auto", description="lambda of the method's loss; auto measures gradients first and freezes the weight."
    )
    balance: float = Field(
        0.5, gt=0, le=100, description="With weight auto: gradient norm of the method over detection at the maps."
    )
    balance_steps: int = Field(
        20,
        ge=1,
        le=10_000,
        description="With weight auto: steps over which it is measured.",
        json_schema_extra={"unit": "steps"},
    )
    start_step: int = Field(
        0, ge=0, description="First step at which the method is on.", json_schema_extra={"unit": "steps"}
    )

    def terms(self) -> dict[str, Term]:
        """The loss terms the method adds, by name."""
        return {"imitation": Term(self.weight, self.balance)}


class FineGrained(Imitation):
    """Fine-grained feature imitation: imitate the teacher near objects only (Wang et al., CVPR 2019)."""

    name: Literal["fine-grained"] = "fine-grained"
    threshold: float = Field(0.5, ge=0, le=1, description="psi: keep anchors with IoU > psi * best IoU of the box.")
    levels: Levels = Field("joint", description="Several maps: one best IoU per box, its own level only, or one each.")


class FullFeature(Imitation):
    """The same adaptation and loss over the whole map (F in the paper's ablation)."""

    name: Literal["full-feature"] = "full-feature"


class GroundTruthBox(Imitation):
    """The same adaptation and loss under the ground-truth boxes (G in the paper's ablation)."""

    name: Literal["gt-box"] = "gt-box"
    levels: AllOrAssigned = Field("joint", description="Several maps: a box on all of them, or on the one of its size.")


class HardThreshold(Imitation):
    """Fine-grained with one constant IoU threshold instead of psi times the best IoU (figure 3 of the paper)."""

    name: Literal["hard-threshold"] = "hard-threshold"
    threshold: float = Field(0.5, ge=0, le=1, description="Keep anchors with IoU > threshold.")
    levels: AllOrAssigned = Field("joint", description="Several maps: a box on all of them, or on the one of its size.")


class SoftLabel(Imitation):
    """Distillation on class outputs (Hinton et al., 2015; D in the paper's ablation)."""

    name: Literal["soft-label"] = "soft-label"
    temperature: float = Field(2.0, gt=0, le=100, description=SOFTENS)

    def terms(self) -> dict[str, Term]:
        """One term."""
        return {"soft_label": Term(self.weight, self.balance)}


class FineGrainedSoftLabel(FineGrained):
    """Fine-grained imitation and soft labels together (ID in the paper's ablation)."""

    name: Literal["fine-grained+soft-label"] = "fine-grained+soft-label"  # type: ignore[assignment]  # the tag
    temperature: float = Field(2.0, gt=0, le=100, description=SOFTENS)
    soft_weight: Weight = Field("auto", description="lambda of the soft labels' loss; auto measures as weight does.")
    soft_balance: float = Field(
        0.5, gt=0, le=100, description="With soft_weight auto: gradient norm of soft labels over detection at the maps."
    )

    def terms(self) -> dict[str, Term]:
        """Two terms, each with its weight."""
        return {**super().terms(), "soft_label": Term(self.soft_weight, self.soft_balance)}


class Hint(Imitation):
    """Regression of the whole map, averaged over cells and channels (FitNets, Romero et al., ICLR 2015)."""

    name: Literal["hint"] = "hint"
    kernel: Literal[1, 3] = Field(1, description="Side of the regressing convolution.")


class ChannelWise(Imitation):
    """Channel-wise distributions over the map (CWD, Shu et al., ICCV 2021)."""

    name: Literal["cwd"] = "cwd"
    temperature: float = Field(1.0, gt=0, le=100, description=SOFTENS)


class Pearson(Imitation):
    """Correlation of standardised maps (PKD, Cao et al., NeurIPS 2022)."""

    name: Literal["pkd"] = "pkd"


class FocalGlobal(Imitation):
    """Focal and global knowledge (FGD, Yang et al., CVPR 2022).

    The four parts keep the ratio given here; published, in all: two-stage 5e-5, one-stage 1e-3.
    """

    name: Literal["fgd"] = "fgd"
    temperature: float = Field(0.5, gt=0, le=100, description=SOFTENS)
    foreground: float = Field(1.0, ge=0, le=1e3, description="Weight of the cells under boxes.")
    background: float = Field(0.5, ge=0, le=1e3, description="Weight of all other cells.")
    attention: float = Field(1.0, ge=0, le=1e3, description="Weight of the attention maps.")
    relation: float = Field(0.01, ge=0, le=1e3, description="Weight of relations: 0.01 two-stage, 0.005 one-stage.")


class MaskedGenerative(Imitation):
    """Generate the teacher's map from a masked student's (MGD, Yang et al., ECCV 2022)."""

    name: Literal["mgd"] = "mgd"
    masked: float = Field(0.65, ge=0, lt=1, description="Share of hidden cells: 0.45 two-stage, 0.65 one-stage.")


AnyImitation = (
    FineGrained
    | FullFeature
    | GroundTruthBox
    | HardThreshold
    | SoftLabel
    | FineGrainedSoftLabel
    | Hint
    | ChannelWise
    | Pearson
    | FocalGlobal
    | MaskedGenerative
)
Method = Annotated[NoImitation | AnyImitation, Field(discriminator="name")]
METHODS: dict[str, type[_Method]] = {
    str(model.model_fields["name"].default): model
    for model in (
        NoImitation,
        FineGrained,
        FullFeature,
        GroundTruthBox,
        HardThreshold,
        SoftLabel,
        FineGrainedSoftLabel,
        Hint,
        ChannelWise,
        Pearson,
        FocalGlobal,
        MaskedGenerative,
    )
}
