import numpy as np

from fgfi_core.evaluation.detections import ImageDetections
from fgfi_core.measuring import _as_data


def test_labels_are_counted_as_the_data_counts_and_spare_classes_are_left_out() -> None:
    boxes = np.arange(16, dtype=np.float32).reshape(4, 4)
    found = ImageDetections(boxes, np.array([0.9, 0.8, 0.7, 0.6], np.float32), np.array([2, 0, 1, 2]))
    (moved,) = _as_data([found], ("spare", "dot", "cell"), ("cell", "dot"))
    assert moved.labels.tolist() == [0, 1, 0]
    assert np.array_equal(moved.boxes, boxes[[0, 2, 3]])
    assert np.allclose(moved.scores, [0.9, 0.7, 0.6])
