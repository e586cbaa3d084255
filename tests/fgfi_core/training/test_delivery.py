import pytest
import torch

from fgfi_core.data.loader import EvalBatch
from fgfi_core.training.delivery import first_images


class Split:
    """Batches of three images; counts those that were read."""

    def __init__(self, batches: int) -> None:
        self.batches, self.read = batches, 0

    def __iter__(self) -> "Split":
        return self

    def __next__(self) -> EvalBatch:
        if self.read == self.batches:
            raise StopIteration
        self.read += 1
        return EvalBatch(torch.full((3, 3, 2, 2), float(self.read)), ())


@pytest.mark.parametrize(("most", "images", "read"), [(4, 4, 2), (6, 6, 2), (100, 15, 5)])
def test_images_to_compare_exports_on_are_the_first_and_no_more_are_read(most: int, images: int, read: int) -> None:
    split = Split(5)
    taken = first_images(split, most)
    assert (len(taken), split.read) == (images, read)
    assert taken[:4, 0, 0, 0].tolist() == [1, 1, 1, 2]
