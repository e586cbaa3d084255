"""The numbers of Faster R-CNN (Ren et al., NeurIPS 2015), by kind of backbone."""

from dataclasses import dataclass

from fgfi_core.detectors.selection import Selection


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Which anchors and regions are looked at; IoUs are overlaps of boxes, fractions those of positives.

    train_before_nms, train_after_nms, test_before_nms, test_after_nms: proposals, those before suppression of each
    level. proposal_nms_iou: a proposal overlapping a better one of its level by more is dropped. proposal_score: least
    objectness of a proposal in testing. anchor_positive_iou, anchor_negative_iou, anchor_samples,
    anchor_positive_fraction: of the proposal network's loss, in each image. region_positive_iou, region_samples,
    region_positive_fraction: of the second stage's, in each image. region_size: cells of a pooled region, a side;
    region_points: points sampled in a cell, a side.
    """

    train_before_nms: int
    train_after_nms: int
    test_before_nms: int
    test_after_nms: int
    proposal_nms_iou: float = 0.7
    proposal_score: float = 0.0
    anchor_positive_iou: float = 0.7
    anchor_negative_iou: float = 0.3
    anchor_samples: int = 256
    anchor_positive_fraction: float = 0.5
    region_positive_iou: float = 0.5
    region_samples: int = 256
    region_positive_fraction: float = 0.25
    region_size: int = 7
    region_points: int = 2
    score_threshold: float = 0.05
    nms_iou: float = 0.3
    per_image: int = 100

    @property
    def selection(self) -> Selection:
        """Of detections. A class has at most one box a region, so that nothing is lost with the candidates' limit."""
        return Selection(
            score_threshold=self.score_threshold,
            candidates_per_class=self.test_after_nms,
            nms_iou=self.nms_iou,
            per_image=self.per_image,
        )


SINGLE_LEVEL = Recipe(train_before_nms=12000, train_after_nms=2000, test_before_nms=6000, test_after_nms=300)
# torchvision's numbers of proposals, which count each level by itself before suppression.
PYRAMID = Recipe(train_before_nms=2000, train_after_nms=2000, test_before_nms=1000, test_after_nms=1000)
MOBILE = Recipe(
    train_before_nms=2000, train_after_nms=2000, test_before_nms=150, test_after_nms=150, proposal_score=0.05
)
