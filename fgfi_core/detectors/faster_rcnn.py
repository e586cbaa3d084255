"""`faster-rcnn-*`: two stages (Ren et al., NeurIPS 2015) of torchvision's parts, under torchvision's names."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.roi_heads import RoIHeads, fastrcnn_loss
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import box_iou

from fgfi_core.detectors.anchors import Shapes, grid
from fgfi_core.detectors.boxes import clip, decode
from fgfi_core.detectors.detector import Detector, Outputs, Target
from fgfi_core.detectors.faster_rcnn_plans import PLANS, Plan
from fgfi_core.detectors.faster_rcnn_recipe import Recipe
from fgfi_core.detectors.fixed_anchors import FixedAnchors
from fgfi_core.detectors.fpn import fpn_anchors
from fgfi_core.detectors.normalisation import Normalisation
from fgfi_core.detectors.pretrained import imagenet
from fgfi_core.detectors.proposals import Proposals, propose
from fgfi_core.detectors.region_pooling import RegionPooling
from fgfi_core.detectors.shared_draws import SharedSampler
from fgfi_core.detectors.two_stage_parts import Parts
from fgfi_core.spec.catalogue import DETECTORS

# The original program's: sides 128, 256 and 512 in three shapes, made of whole pixels at stride 16.
DEFAULT_SHAPES = tuple(
    (w * scale, h * scale) for w, h in ((23.0, 12.0), (16.0, 16.0), (11.0, 22.0)) for scale in (8, 16, 32)
)
# Box codes of the second stage are multiplied by these, so that their errors have about unit deviation.
DELTA_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
LEAST_SIDE = 1e-2  # pixels; thinner detections score nothing, as torchvision drops them


def build(name: str, num_classes: int, image_size: tuple[int, int], anchor_shapes: Shapes | None) -> Detector:
    """One of the family, with fresh weights."""
    return FasterRCNN(name, num_classes, image_size, anchor_shapes, PLANS[name])


class FasterRCNN(Detector):
    """A proposal network on all maps, and a box head on regions pooled from them. Class 0 of the logits is background.

    In `backbone`, `rpn` and `roi_heads` parameters have the names of torchvision's FasterRCNN.
    """

    rpn: Any
    roi_heads: Any

    def __init__(
        self, name: str, num_classes: int, image_size: tuple[int, int], anchor_shapes: Shapes | None, plan: Plan
    ) -> None:
        super().__init__()
        self.name, self.num_classes, self.image_size, self.recipe = name, num_classes, image_size, plan.recipe
        self.selection = plan.recipe.selection
        self.anchor_shapes = () if plan.sides else tuple(anchor_shapes or DEFAULT_SHAPES)
        parts = plan.parts()
        self.normalisation = Normalisation()
        self.backbone = parts.backbone
        self.rpn = _proposal_network(self.channels()[0], FixedAnchors(self._make_anchors(plan)), plan.recipe)
        self.roi_heads = _region_heads(parts, self.info.strides, num_classes, plan.recipe)
        self._under_own_names = parts.under_own_names
        if self.info.imagenet:
            self.frozen = tuple(f"backbone.{beginning}" for beginning in parts.frozen)
            self.freezes_norms = True

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """[B, 3, H, W] to the maps, each [B, C, ceil(H / stride_l), ceil(W / stride_l)]."""
        maps = self.backbone(self.normalisation(images))
        return tuple(maps.values()) if isinstance(maps, dict) else (maps,)

    def heads(self, maps: Sequence[Tensor], targets: Sequence[Target] | None = None) -> Outputs:
        """With targets, what the losses need; without, what detections are decoded from.

        targets given: `objectness` [B, A], `rpn_deltas` [B, A, 4]; of R sampled regions `regions` [R, 5] (number of
        the image, xyxy pixels), `region_labels` [R] (0 is background), `region_goals` [R, 4], `logits` [R, 1 + C],
        `deltas` [R, 4 + 4 C]. Otherwise `proposals` [B, N, 4], `valid` bool [B, N], `logits` [B, N, 1 + C], `deltas`
        [B, N, 4 + 4 C]. Logits have the background first, deltas are in `DELTA_WEIGHTS` units.
        """
        objectness, rpn_deltas = self._anchor_outputs(maps)
        if targets is None:
            proposals = self._propose(objectness, rpn_deltas, training=False)
            logits, deltas = self._region_outputs(maps, _numbered(proposals.boxes))
            batch, count = proposals.valid.shape
            return {
                "proposals": proposals.boxes,
                "valid": proposals.valid,
                "logits": logits.view(batch, count, -1),
                "deltas": deltas.view(batch, count, -1),
            }
        proposals = self._propose(objectness, rpn_deltas, training=True)
        sampled = self._sample(proposals, targets)
        logits, deltas = self._region_outputs(maps, sampled["regions"])
        return {"objectness": objectness, "rpn_deltas": rpn_deltas, **sampled, "logits": logits, "deltas": deltas}

    def losses(self, outputs: Outputs, targets: Sequence[Target]) -> dict[str, Tensor]:
        """`objectness` and `rpn_box` over sampled anchors, `class` and `box` over sampled regions; torchvision's."""
        with torch.autocast(outputs["logits"].device.type, enabled=False):
            objectness, rpn_box = self._anchor_losses(outputs, targets)
            class_, box = fastrcnn_loss(
                outputs["logits"].float(),
                outputs["deltas"].float(),
                [outputs["region_labels"]],
                [outputs["region_goals"]],
            )
        # Each is a mean over what was sampled, here; over processes, their mean is to be that over what all sampled.
        anchors, regions = self.rpn.fg_bg_sampler.share, self.roi_heads.fg_bg_sampler.share
        return {
            "objectness": anchors * objectness,
            "rpn_box": anchors * rpn_box,
            "class": regions * class_,
            "box": regions * box,
        }

    def decode(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """boxes [B, N * C, 4], one for each region and class, and scores [B, N * C, C], zero for every other class.

        Scores are softmax with the background left out; zero for what is no proposal, and for boxes without area.
        """
        classes = self.num_classes
        deltas = outputs["deltas"].float()
        deltas = deltas.reshape(*deltas.shape[:2], classes + 1, 4)[:, :, 1:]
        boxes = decode(deltas / deltas.new_tensor(DELTA_WEIGHTS), outputs["proposals"][:, :, None])
        boxes = clip(boxes, self.image_size)
        real = (boxes[..., 2:] - boxes[..., :2] >= LEAST_SIDE).all(dim=-1) & outputs["valid"][..., None]
        scores = outputs["logits"].float().softmax(dim=-1)[..., 1:] * real
        alone = scores[..., None] * torch.eye(classes, device=scores.device)
        return boxes.flatten(1, 2), alone.flatten(1, 2)

    def anchors(self) -> tuple[Tensor, ...]:
        """One [H_l, W_l, K_l, 4] for each map."""
        levels: tuple[Tensor, ...] = self.rpn.anchor_generator.levels()
        return levels

    def weight_decay_parameters(self) -> set[str]:
        """Every weight of a convolution or linear layer; no bias, no norm."""
        return {name for name, parameter in self.named_parameters() if parameter.ndim > 1}

    def class_logits(self, outputs: Outputs) -> Tensor:
        """Every region's, background first; padding's included."""
        return outputs["logits"].flatten(0, -2)

    def class_logits_like(self, maps: Sequence[Tensor], outputs: Outputs, scale: tuple[float, float]) -> Tensor:
        """Its box head's on the other's regions, background first; no proposals of its own are made."""
        regions = outputs["regions"] if "regions" in outputs else _numbered(outputs["proposals"])
        logits, _ = self._region_outputs(maps, regions * regions.new_tensor((1.0, *scale, *scale)))
        return logits

    def imagenet_weights(self) -> Mapping[str, Tensor]:
        """The backbone's; also those of the box head where that is a part of the ImageNet network."""
        if not self.info.imagenet:
            return super().imagenet_weights()
        return self._under_own_names(imagenet(self.info.imagenet))

    def _make_anchors(self, plan: Plan) -> list[Tensor]:
        strides = DETECTORS[self.name].strides
        if plan.sides:
            return fpn_anchors(plan.sides, strides, self.image_size)
        (stride,) = strides
        columns, rows = (-(-side // stride) for side in self.image_size)
        # Of the grid's own size, so that centres stay in the middle of what RoIAlign takes for a cell.
        return [grid(self.anchor_shapes, (columns * stride, rows * stride), (columns, rows))]

    def _anchor_outputs(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Objectness [B, A] and deltas [B, A, 4], float32."""
        counts = self.rpn.anchor_generator.counts
        objectness, deltas = self.rpn.head(list(maps))
        # The number of anchors is fixed, so that images of another size fail here and never meet the wrong anchors.
        return (
            _flat(objectness, counts, values=1)[..., 0],
            _flat(deltas, counts, values=4),
        )

    def _propose(self, objectness: Tensor, deltas: Tensor, *, training: bool) -> Proposals:
        recipe = self.recipe
        return propose(
            objectness,
            deltas,
            anchors=self.rpn.anchor_generator.flat,
            levels=self.rpn.anchor_generator.counts,
            image_size=self.image_size,
            before_nms=recipe.train_before_nms if training else recipe.test_before_nms,
            after_nms=recipe.train_after_nms if training else recipe.test_after_nms,
            nms_iou=recipe.proposal_nms_iou,
            # In training an image must not be left without any region.
            least_score=0.0 if training else recipe.proposal_score,
        )

    def _sample(self, proposals: Proposals, targets: Sequence[Target]) -> dict[str, Tensor]:
        """Regions for the second stage to learn from: proposals and the true boxes themselves."""
        # The first place is taken whatever it holds, so that no image is without a region.
        boxes = [torch.cat((b[:1], b[1:][v[1:]])) for b, v in zip(proposals.boxes, proposals.valid, strict=True)]
        regions, _, labels, goals = self.roi_heads.select_training_samples(boxes, _as_torchvision(targets, boxes[0]))
        number = torch.arange(len(regions), device=boxes[0].device).repeat_interleave(
            torch.tensor([len(r) for r in regions], device=boxes[0].device)
        )
        return {
            "regions": torch.cat((number[:, None], torch.cat(regions)), dim=1),
            "region_labels": torch.cat(labels),
            "region_goals": torch.cat(goals),
        }

    def _region_outputs(self, maps: Sequence[Tensor], regions: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [R, 1 + C] and deltas [R, 4 + 4 C]."""
        pooled = self.roi_heads.box_roi_pool(maps, regions)
        logits, deltas = self.roi_heads.box_predictor(self.roi_heads.box_head(pooled))
        return logits, deltas

    def _anchor_losses(self, outputs: Outputs, targets: Sequence[Target]) -> tuple[Tensor, Tensor]:
        flat = self.rpn.anchor_generator.flat
        # torchvision gives a box that overlaps no anchor all anchors that overlap no box; it is left out instead.
        reached = [target.boxes[box_iou(target.boxes, flat).amax(dim=1) > 0] for target in targets]
        anchors = [flat] * len(targets)
        labels, boxes = self.rpn.assign_targets_to_anchors(anchors, [{"boxes": own} for own in reached])
        objectness, box = self.rpn.compute_loss(
            outputs["objectness"].flatten().float(),
            outputs["rpn_deltas"].flatten(0, 1).float(),
            labels,
            self.rpn.box_coder.encode(boxes, anchors),
        )
        return objectness, box


def _proposal_network(channels: int, anchors: FixedAnchors, recipe: Recipe) -> RegionProposalNetwork:
    (shapes,) = {level.shape[2] for level in anchors.levels()}
    network = RegionProposalNetwork(
        anchors,
        RPNHead(channels, shapes),
        fg_iou_thresh=recipe.anchor_positive_iou,
        bg_iou_thresh=recipe.anchor_negative_iou,
        batch_size_per_image=recipe.anchor_samples,
        positive_fraction=recipe.anchor_positive_fraction,
        pre_nms_top_n={"training": recipe.train_before_nms, "testing": recipe.test_before_nms},
        post_nms_top_n={"training": recipe.train_after_nms, "testing": recipe.test_after_nms},
        nms_thresh=recipe.proposal_nms_iou,
        score_thresh=recipe.proposal_score,
    )
    network.fg_bg_sampler = SharedSampler(recipe.anchor_samples, recipe.anchor_positive_fraction)
    return network


def _region_heads(parts: Parts, strides: Sequence[int], num_classes: int, recipe: Recipe) -> RoIHeads:
    heads = RoIHeads(
        RegionPooling(strides[: parts.pooled_levels], recipe.region_size, recipe.region_points),
        parts.box_head,
        FastRCNNPredictor(parts.vector, num_classes + 1),
        fg_iou_thresh=recipe.region_positive_iou,
        bg_iou_thresh=recipe.region_positive_iou,
        batch_size_per_image=recipe.region_samples,
        positive_fraction=recipe.region_positive_fraction,
        bbox_reg_weights=DELTA_WEIGHTS,
        score_thresh=recipe.score_threshold,
        nms_thresh=recipe.nms_iou,
        detections_per_img=recipe.per_image,
    )
    heads.fg_bg_sampler = SharedSampler(recipe.region_samples, recipe.region_positive_fraction)
    return heads


def _flat(maps: Sequence[Tensor], counts: Sequence[int], *, values: int) -> Tensor:
    """Outputs [B, K * values, H, W] of each level as [B, A, values] float32, in the order of the anchors."""
    levels = [
        raw.permute(0, 2, 3, 1).reshape(raw.shape[0], count, values) for raw, count in zip(maps, counts, strict=True)
    ]
    return torch.cat(levels, dim=1).float()


def _numbered(boxes: Tensor) -> Tensor:
    """Boxes [B, N, 4] as regions [B * N, 5], the number of the image first."""
    number = torch.arange(boxes.shape[0], device=boxes.device)[:, None, None].to(boxes).expand(-1, boxes.shape[1], -1)
    return torch.cat((number, boxes), dim=2).flatten(0, 1)


def _as_torchvision(targets: Sequence[Target], like: Tensor) -> list[dict[str, Tensor]]:
    """With labels from 1, for 0 is the background there."""
    return [{"boxes": t.boxes.to(like), "labels": t.labels.to(like.device) + 1} for t in targets]
