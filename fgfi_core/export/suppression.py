"""A detector's selection as an ONNX graph: the same rule for a whole batch, with outputs of fixed size."""

import onnx
import onnx.parser

from fgfi_core.detectors import Selection

# Operators named here have kept their meaning from this version on.
OPSET = 17

# Scores of what is out of the race are -1 ("nothing"), below any threshold. Every step keeps the shape [B, C, A] and
# puts nothing in place of what it drops; the last one takes what is left, best first.
_GRAPH = """
<ir_version: {ir_version}, opset_import: ["": {opset}]>
select (float[batch, {anchors}, 4] all_boxes, float[batch, {anchors}, {classes}] all_scores)
    => (float[batch, {found}, 4] boxes, float[batch, {found}] scores, int64[batch, {found}] labels, int64[batch] count)
{{
    nothing = Constant <value = float {{-1.0}}> ()
    threshold = Constant <value = float {{{score_threshold:.9f}}}> ()
    by_class = Transpose <perm = [0, 2, 1]> (all_scores)
    shape = Shape (by_class)
    empty = Expand (nothing, shape)
    flat_shape = Constant <value = int64[2] {{0, -1}}> ()
    flat_empty = Reshape (empty, flat_shape)

    candidates_per_class = Constant <value = int64[1] {{{candidates_per_class}}}> ()
    class_best, class_place = TopK <axis = 2> (by_class, candidates_per_class)
    of_class = ScatterElements <axis = 2> (empty, class_place, class_best)

    candidates = Constant <value = int64[1] {{{candidates}}}> ()
    flat = Reshape (of_class, flat_shape)
    flat_best, flat_place = TopK <axis = 1> (flat, candidates)
    of_all = ScatterElements <axis = 1> (flat_empty, flat_place, flat_best)
    candidate_scores = Reshape (of_all, shape)

    above = Greater (candidate_scores, threshold)
    entered = Where (above, candidate_scores, nothing)

    per_class = Constant <value = int64[1] {{{per_class}}}> ()
    overlap = Constant <value = float[1] {{{nms_iou:.9f}}}> ()
    least = Constant <value = float[1] {{{score_threshold:.9f}}}> ()
    survivors = NonMaxSuppression (all_boxes, entered, per_class, overlap, least)
    survivor_scores = GatherND (entered, survivors)
    survived = ScatterND (empty, survivors, survivor_scores)

    found = Constant <value = int64[1] {{{found}}}> ()
    flat_survived = Reshape (survived, flat_shape)
    best, place = TopK <axis = 1> (flat_survived, found)
    anchors = Constant <value = int64 {{{anchors}}}> ()
    label = Div (place, anchors)
    anchor = Mod (place, anchors)
    last = Constant <value = int64[1] {{-1}}> ()
    anchor_column = Unsqueeze (anchor, last)
    coordinates = Constant <value = int64[3] {{1, 1, 4}}> ()
    anchor_rows = Expand (anchor_column, coordinates)
    box = GatherElements <axis = 1> (all_boxes, anchor_rows)

    real = Greater (best, threshold)
    real_column = Unsqueeze (real, last)
    no_box = Constant <value = float {{0.0}}> ()
    no_label = Constant <value = int64 {{-1}}> ()
    boxes = Where (real_column, box, no_box)
    scores = Where (real, best, no_box)
    labels = Where (real, label, no_label)
    ones = Cast <to = 7> (real)
    row = Constant <value = int64[1] {{1}}> ()
    count = ReduceSum <keepdims = 0> (ones, row)
}}
"""


def graph(selection: Selection, anchors: int, classes: int, ir_version: int) -> onnx.ModelProto:
    """The selection from `all_boxes` [B, A, 4] and `all_scores` [B, A, C] to `boxes`, `scores`, `labels` and `count`.

    The outputs have room for the most that the selection can find, [B, N, ...], best first; `count` [B] of them are
    real, the others have score 0, label -1 and an empty box.
    """
    per_class = min(anchors, selection.candidates_per_class or anchors)
    candidates = min(per_class * classes, selection.candidates or per_class * classes)
    kept_of_class = min(per_class, selection.per_class or per_class)
    found = min(candidates, kept_of_class * classes, selection.per_image or candidates)
    return onnx.parser.parse_model(
        _GRAPH.format(
            ir_version=ir_version,
            opset=OPSET,
            anchors=anchors,
            classes=classes,
            score_threshold=selection.score_threshold,
            candidates_per_class=per_class,
            candidates=candidates,
            per_class=kept_of_class,
            nms_iou=selection.nms_iou,
            found=found,
        )
    )
