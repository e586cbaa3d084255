import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fgfi_core import data
from fgfi_core.bundle import manifest
from fgfi_core.errors import BadData
from fgfi_core.spec import JobSpec

SPLITS = ("train", "val")


def grey(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((40, 40, 3), len(path.name), np.uint8)).save(path)


def test_it_lists_the_images_and_annotations_of_the_two_splits_alone(images: Path) -> None:
    described = manifest.describe(data.read(images), SPLITS)
    assert [file.path for file in described.files] == [
        "Annotations/first.xml",
        "Annotations/second.xml",
        "Annotations/third.xml",
        "ImageSets/Main/train.txt",
        "ImageSets/Main/val.txt",
        "JPEGImages/first.png",
        "JPEGImages/second.png",
        "JPEGImages/third.png",
    ]
    assert described.splits == {"train": 2, "val": 1}


def test_the_same_data_elsewhere_is_the_same_data(images: Path, tmp_path: Path) -> None:
    described = manifest.describe(data.read(images), SPLITS)
    moved = images.rename(tmp_path / "elsewhere")
    assert manifest.describe(data.read(moved), SPLITS) == described
    manifest.check(described, data.read(moved))


def test_a_changed_image_and_a_changed_annotation_are_named(images: Path) -> None:
    described = manifest.describe(data.read(images), SPLITS)
    grey(images / "JPEGImages" / "second.png")
    annotation = images / "Annotations" / "third.xml"
    annotation.write_text(annotation.read_text().replace("<xmax>50", "<xmax>51"))
    with pytest.raises(BadData) as caught:
        manifest.check(described, data.read(images))
    assert "Annotations/third.xml is changed; JPEGImages/second.png is changed." in caught.value.message


def test_an_image_outside_both_splits_may_change(images: Path) -> None:
    described = manifest.describe(data.read(images), SPLITS)
    grey(images / "JPEGImages" / "unused.png")
    manifest.check(described, data.read(images))


def test_another_order_of_the_images_is_other_data(images: Path) -> None:
    described = manifest.describe(data.read(images), SPLITS)
    (images / "ImageSets" / "Main" / "train.txt").write_text("second\nfirst\n")
    with pytest.raises(BadData, match="the split 'train' lists its images in another order"):
        manifest.check(described, data.read(images))


def test_a_missing_split_is_named(images: Path) -> None:
    described = manifest.describe(data.read(images), SPLITS)
    (images / "ImageSets" / "Main" / "val.txt").unlink()
    with pytest.raises(BadData, match="no split 'val'"):
        manifest.check(described, data.read(images))


def test_coco_is_its_annotation_file_and_images(tmp_path: Path) -> None:
    for number, split in enumerate(SPLITS, 1):
        grey(tmp_path / split / f"{split}.png")
        content = {
            "images": [{"id": number, "file_name": f"{split}.png", "width": 40, "height": 40}],
            "categories": [{"id": 1, "name": "cell"}],
            "annotations": [{"id": number, "image_id": number, "category_id": 1, "bbox": [1, 1, 9, 9], "area": 81}],
        }
        path = tmp_path / "annotations" / f"instances_{split}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    described = manifest.describe(data.read(tmp_path), SPLITS)
    assert [file.path for file in described.files] == [
        "annotations/instances_train.json",
        "annotations/instances_val.json",
        "train/train.png",
        "val/val.png",
    ]


def test_yolo_is_its_configuration_labels_and_images(tmp_path: Path) -> None:
    for split in SPLITS:
        grey(tmp_path / "images" / split / f"{split}.png")
        label = tmp_path / "labels" / split / f"{split}.txt"
        label.parent.mkdir(parents=True)
        label.write_text("0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [cell]\n")
    described = manifest.describe(data.read(tmp_path), SPLITS)
    assert [file.path for file in described.files] == [
        "data.yaml",
        "images/train/train.png",
        "images/val/val.png",
        "labels/train/train.txt",
        "labels/val/val.txt",
    ]


def test_kitti_is_its_lists_labels_and_images(tmp_path: Path) -> None:
    for split in SPLITS:
        grey(tmp_path / "training" / "image_2" / f"{split}0.png")
        label = tmp_path / "training" / "label_2" / f"{split}0.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("Car 0.00 0 0.00 5.00 5.00 30.00 30.00 1 1 1 0 0 10 0\n")
        (tmp_path / "ImageSets").mkdir(exist_ok=True)
        (tmp_path / "ImageSets" / f"{split}.txt").write_text(f"{split}0\n")
    described = manifest.describe(data.read(tmp_path), SPLITS)
    assert [file.path for file in described.files] == [
        "ImageSets/train.txt",
        "ImageSets/val.txt",
        "training/image_2/train0.png",
        "training/image_2/val0.png",
        "training/label_2/train0.txt",
        "training/label_2/val0.txt",
    ]


def test_images_without_labels_are_data_of_the_job_too() -> None:
    fields = {
        "name": "tiny",
        "teacher": {"detector": "ssd-shufflenetv2-0.5x"},
        "student": {"detector": "ssd-shufflenetv2-0.25x"},
    }
    data_ = {"train": "train", "val": "val"}
    assert manifest.used(JobSpec.model_validate({**fields, "dataset": data_})) == ["train", "val"]
    mixed = JobSpec.model_validate({**fields, "dataset": {**data_, "unlabelled": "more"}})
    assert manifest.used(mixed) == ["train", "val", "more"]
