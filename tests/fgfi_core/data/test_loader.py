from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from fgfi_core import data
from fgfi_core.data.dataset import Example
from fgfi_core.data.frame import FILL, Frame
from fgfi_core.data.loader import Batch, EvalLoader, TrainLoader
from fgfi_core.errors import BadData
from fgfi_core.spec import Augmentation

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

SIZE = (64, 48)
ALL, NONE = Augmentation(), Augmentation(flip=False, photometric=False, shift=False)


@pytest.fixture
def examples(voc: "VocFolder") -> tuple[Example, ...]:
    for i in range(11):
        voc.add(f"image{i}", [("cell", (11 + i, 21, 50, 60)), ("cell", (5, 5, 9, 9))], difficult=[1])
    return data.read(voc.root).splits["train"]


def loader(examples: tuple[Example, ...], seed: int = 7, workers: int = 0, cache_bytes: int = 2**20) -> TrainLoader:
    return TrainLoader(examples, Frame(SIZE), 3, ALL, seed, workers=workers, cache_bytes=cache_bytes)


def same(a: list[Batch], b: list[Batch]) -> bool:
    """Equal to the last bit."""
    return len(a) == len(b) and all(
        torch.equal(one.images, other.images)
        and all(
            torch.equal(t.boxes, u.boxes) and torch.equal(t.labels, u.labels)
            for t, u in zip(one.targets, other.targets, strict=True)
        )
        for one, other in zip(a, b, strict=True)
    )


def test_a_batch_is_what_detectors_expect(examples: tuple[Example, ...]) -> None:
    batch = next(loader(examples).batches(0))
    assert batch.images.shape == (3, 3, SIZE[1], SIZE[0])
    assert batch.images.dtype == torch.float32
    assert batch.images.is_contiguous()
    assert 0 <= batch.images.min() < batch.images.max() <= 1
    assert [tuple(target.boxes.shape) for target in batch.targets] == [(1, 4)] * 3
    assert batch.targets[0].boxes.dtype == torch.float32
    assert batch.targets[0].labels.dtype == torch.int64


def test_difficult_boxes_are_not_trained_on_and_the_others_are_scaled(examples: tuple[Example, ...]) -> None:
    batch = next(TrainLoader(examples[:1], Frame(SIZE), 1, NONE, 0).batches(0))
    assert batch.targets[0].boxes.tolist() == [pytest.approx([10 * 0.64, 20 * 0.6, 50 * 0.64, 60 * 0.6])]


def test_an_epoch_visits_each_image_once_but_the_rest_that_fills_no_batch(examples: tuple[Example, ...]) -> None:
    plain = TrainLoader(examples, Frame(SIZE), 3, NONE, 0)
    lefts = [float(target.boxes[0, 0]) for batch in plain.batches(0) for target in batch.targets]
    assert len(plain) == 3
    assert len(set(lefts)) == 9


def test_a_data_set_smaller_than_a_batch_is_one_batch(examples: tuple[Example, ...]) -> None:
    small = TrainLoader(examples[:2], Frame(SIZE), 8, ALL, 0)
    assert len(small) == 1
    assert [len(batch.images) for batch in small.batches(0)] == [2]


def test_the_same_seed_and_epoch_give_the_same_bits_and_others_do_not(examples: tuple[Example, ...]) -> None:
    first = list(loader(examples).batches(4))
    assert same(first, list(loader(examples).batches(4)))
    assert not same(first, list(loader(examples).batches(5)))
    assert not same(first, list(loader(examples, seed=8).batches(4)))


def test_a_start_in_the_epoch_skips_and_changes_nothing(examples: tuple[Example, ...]) -> None:
    whole = list(loader(examples).batches(2))
    for start in range(4):
        assert same(list(loader(examples).batches(2, start)), whole[start:])


def test_a_cache_that_is_too_small_changes_nothing(examples: tuple[Example, ...]) -> None:
    assert same(list(loader(examples).batches(1)), list(loader(examples, cache_bytes=10).batches(1)))


def test_workers_change_no_bit_also_after_an_epoch_that_was_left_early(examples: tuple[Example, ...]) -> None:
    alone = loader(examples)
    with loader(examples, workers=2) as together:
        left: Iterator[Batch] = together.batches(0)
        assert same([next(left)], list(alone.batches(0))[:1])
        del left
        assert same(list(together.batches(1)), list(alone.batches(1)))
        assert same(list(together.batches(2, 1)), list(alone.batches(2, 1)))


def test_an_image_that_breaks_after_the_check_is_named(examples: tuple[Example, ...]) -> None:
    content = examples[0].path.read_bytes()
    examples[0].path.write_bytes(content[: len(content) // 2])
    with pytest.raises(BadData, match=r"image0\.png: the image is broken"):
        list(loader(examples).batches(0))


def test_no_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="no examples"):
        loader(())


def test_evaluation_keeps_the_order_and_the_last_smaller_batch(examples: tuple[Example, ...]) -> None:
    batches = list(EvalLoader(examples, Frame(SIZE), 4))
    assert [len(images) for images, _ in batches] == [4, 4, 3]
    assert [example for _, group in batches for example in group] == list(examples)


def test_evaluation_sees_the_pixels_that_unaugmented_training_sees(examples: tuple[Example, ...]) -> None:
    trained = next(TrainLoader(examples[:1], Frame(SIZE), 1, NONE, 0).batches(0)).images
    assert torch.equal(trained, next(iter(EvalLoader(examples[:1], Frame(SIZE), 1))).images)


def test_bccd_boxes_stay_inside_the_input(bccd: Path) -> None:
    examples = data.read(bccd).splits["test"][:24]
    size = torch.tensor([160.0, 120, 160, 120])
    for batch in TrainLoader(examples, Frame((160, 120)), 8, ALL, 0).batches(0):
        for target in batch.targets:
            assert (target.boxes >= 0).all()
            assert (target.boxes <= size).all()
            assert (target.boxes[:, 2:] > target.boxes[:, :2]).all()


def test_whatever_the_augmentation_a_fitted_image_stays_in_its_corner_and_its_boxes_in_it(
    voc: "VocFolder",
) -> None:
    for i in range(4):
        voc.add(f"tall{i}", [("cell", (11 + i, 21, 50, 90))], size=(60, 120))
    frame = Frame((96, 48), "fit")
    mean = (torch.tensor(FILL) / 255).view(3, 1, 1)
    changed = False
    plain = next(TrainLoader(data.read(voc.root).splits["train"], frame, 4, NONE, 0).batches(0)).images
    for epoch in range(4):
        batch = next(TrainLoader(data.read(voc.root).splits["train"], frame, 4, ALL, 0).batches(epoch))
        changed = changed or not torch.equal(batch.images, plain)
        assert torch.allclose(batch.images[..., 24:], mean.expand(3, 48, 72))
        for target in batch.targets:
            assert target.boxes[:, 2].max() <= 24
            assert (target.boxes[:, 2:] > target.boxes[:, :2]).all()
    assert changed
