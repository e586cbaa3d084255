import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fgfi_core.detectors import Target
from fgfi_core.detectors.boxes import clip, decode, encode, pad_targets

CORNER = st.floats(-500, 500, width=32)
SIDE = st.floats(1, 500, width=32)
BOX = st.builds(lambda x, y, w, h: torch.tensor([x, y, x + w, y + h]), CORNER, CORNER, SIDE, SIDE)


@given(BOX, BOX)
def test_decoding_gives_back_the_encoded_box(box: torch.Tensor, anchor: torch.Tensor) -> None:
    back = decode(encode(box.double(), anchor.double()), anchor.double(), linear_from=math.log(1000))
    torch.testing.assert_close(back, box.double(), rtol=0, atol=1e-6)


def test_the_code_is_the_offset_in_anchors_and_the_log_of_the_size_ratio() -> None:
    code = encode(torch.tensor([20.0, 10, 60, 20]), torch.tensor([0.0, 0, 20, 10]))
    torch.testing.assert_close(code, torch.tensor([1.5, 1.0, math.log(2), 0.0]))


def test_a_large_size_is_decoded_along_the_tangent() -> None:
    anchor = torch.tensor([0.0, 0, 2, 2])
    boxes = decode(torch.tensor([[0.0, 0, 1, 1], [0, 0, 3, 1]]), anchor, linear_from=1.0)
    widths = boxes[:, 2] - boxes[:, 0]
    torch.testing.assert_close(widths, torch.tensor([2 * math.e, 2 * math.e * 3]))


def test_clipping_cuts_at_the_width_and_at_the_height() -> None:
    assert clip(torch.tensor([-5.0, -6, 400, 300]), (320, 240)).tolist() == [0, 0, 320, 240]


def test_padding_marks_which_boxes_are_real() -> None:
    two = Target(torch.tensor([[0.0, 0, 5, 5], [1, 1, 9, 9]]), torch.tensor([2, 1]))
    none = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    boxes, labels, real = pad_targets([none, two], torch.device("cpu"))
    assert real.tolist() == [[False, False], [True, True]]
    assert torch.equal(boxes[1], two.boxes)
    assert labels[1].tolist() == [2, 1]


def test_a_batch_without_any_box_is_padded_to_one() -> None:
    none = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    boxes, labels, real = pad_targets([none, none], torch.device("cpu"))
    assert boxes.shape == (2, 1, 4)
    assert labels.shape == (2, 1)
    assert not real.any()


def test_padding_can_be_encoded() -> None:
    boxes, _, _ = pad_targets([Target(torch.zeros(0, 4), torch.zeros(0))], torch.device("cpu"))
    assert encode(boxes, torch.tensor([0.0, 0, 10, 10])).isfinite().all()


@pytest.mark.parametrize("value", [-30.0, 0.0, 200.0])
def test_decoding_any_code_stays_finite(value: float) -> None:
    boxes = decode(torch.full((4,), value), torch.tensor([0.0, 0, 10, 10]))
    assert boxes.isfinite().all()
