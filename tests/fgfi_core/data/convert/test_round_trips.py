"""What was written in any format reads as it was, but for what the format cannot say.

What each format can say is stated here once more, apart from the writers.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fgfi_core import data
from fgfi_core.data import Dataset, Example
from fgfi_core.data.convert import FORMATS, Converted, convert
from fgfi_core.errors import BadData

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder
    from tests.fgfi_core.data.conftest import CocoFolder, KittiFolder, YoloFolder

KITTI = ("Car", "Pedestrian", "Cyclist")
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Says:
    """What a format can say of a box beside its corners and class."""

    difficult: bool = True
    crowd: bool = False
    seen: bool = False
    area: bool = False


SAYS = {"voc": Says(), "coco": Says(crowd=True, area=True), "kitti": Says(seen=True), "yolo": Says(difficult=False)}


def kept(example: Example, classes: tuple[str, ...], target: str) -> Rows:
    """The boxes of an image that the target holds, with what it can say of each."""
    says, rows = SAYS[target], []
    sides = example.boxes[:, 2:] - example.boxes[:, :2]
    for i, label in enumerate(example.labels):
        name = classes[label]
        if target == "voc" and sides[i].min() <= 1:
            continue
        if target == "kitti" and (name.capitalize() not in KITTI or example.crowd[i]):
            continue
        if target == "yolo" and example.crowd[i]:
            continue
        row: dict[str, Any] = {"class": name.capitalize() if target == "kitti" else name, "box": example.boxes[i]}
        row["difficult"] = bool(example.difficult[i] and says.difficult and row["class"] != "Cyclist")
        row["crowd"] = bool(example.crowd[i] and says.crowd)
        row["occlusion"] = int(example.occlusion[i]) if says.seen else 0
        row["truncation"] = float(example.truncation[i]) if says.seen else 0.0
        row["area"] = float(example.area[i]) if says.area else float(sides[i].astype(np.float64).prod())
        rows.append(row)
    return rows


def ignored(example: Example, classes: tuple[str, ...], target: str) -> list[list[float]]:
    if target != "kitti":
        return []
    crowds = [i for i, label in enumerate(example.labels) if example.crowd[i] and classes[label].capitalize() in KITTI]
    return [*example.boxes[crowds].tolist(), *example.ignored.tolist()]


def assert_same(source: Dataset, written: Dataset, done: Converted, splits: dict[str, str] | None = None) -> None:
    """splits: the new names of those that got one, or that are among the splits at all; by default each has its own."""
    target = written.format
    splits = splits or {name: name for name in source.splits}
    assert set(written.splits) == set(splits.values())
    for split, new in splits.items():
        found = {PurePosixPath(example.path).name: example for example in written.splits[new]}
        names = [PurePosixPath(done.renamed.get(e.image_id, e.path.name)).name for e in source.splits[split]]
        assert sorted(found) == sorted(names)
        if target != "yolo":
            assert list(found) == names
        for name, example in zip(names, source.splits[split], strict=True):
            assert found[name].path.read_bytes() == example.path.read_bytes()
            assert_same_boxes(found[name], kept(example, source.classes, target), written.classes)
            regions = np.array(ignored(example, source.classes, target)).reshape(-1, 4)
            assert np.allclose(found[name].ignored, regions, atol=1e-4)


def assert_same_boxes(example: Example, rows: Rows, classes: tuple[str, ...]) -> None:
    assert [classes[label] for label in example.labels] == [row["class"] for row in rows]
    assert np.allclose(example.boxes, np.array([row["box"] for row in rows]).reshape(-1, 4), atol=1e-4)
    for name in ("difficult", "crowd", "occlusion", "truncation"):
        assert getattr(example, name).tolist() == [row[name] for row in rows]
    assert np.allclose(example.area, [row["area"] for row in rows], rtol=1e-3)


def a_voc(voc: "VocFolder") -> Path:
    voc.add("a", [("car", (11, 21, 50, 60)), ("dot", (1.5, 2.25, 9.125, 8))], difficult=[0, 1])
    voc.add("b", [], split="val")
    voc.add("c.1", [("Pedestrian", (1, 1, 100, 80))], split="val")
    return voc.root


def a_coco(coco: "CocoFolder") -> Path:
    coco.content()["categories"] = [{"id": 3, "name": "Pedestrian"}, {"id": 1, "name": "car"}, {"id": 9, "name": "no"}]
    coco.content("val")["categories"] = coco.content()["categories"]
    coco.add("a.png", (1.1, 2.3, 50.7, 40.9), (3, 3, 0.5, 0.75), (3, 3, 1, 9), area=12.5)
    coco.add("b.png", (5, 5, 60, 60), iscrowd=1)
    coco.add("c.png", (5, 5, 20, 20), split="val", ignore=1, category_id=3)
    return coco.root


def a_kitti(kitti: "KittiFolder") -> Path:
    kitti.add("000000", kitti.line(truncation="0.37", occlusion="2"), kitti.line("Van", truncation="-1"))
    kitti.add("000001", kitti.line("Cyclist"), kitti.line("DontCare", (1, 2, 3, 4)), kitti.line("Truck"), split="val")
    return kitti.root


def a_yolo(yolo: "YoloFolder") -> Path:
    yolo.config("names: [car, 'no', dot]", "train: images/train", "val: images/val")
    yolo.add("a b.png", ["0 0.313 0.5001 0.2 0.4", "2 0.1 0.1 0.003 0.007"])
    yolo.add("below/c.png", None)
    return yolo.root


@pytest.fixture
def made(voc: "VocFolder", coco: "CocoFolder", kitti: "KittiFolder", yolo: "YoloFolder") -> dict[str, Path]:
    """A small data set of each format, with all that the format can say."""
    return {"voc": a_voc(voc), "coco": a_coco(coco), "kitti": a_kitti(kitti), "yolo": a_yolo(yolo)}


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
def test_a_data_set_of_each_format_reads_the_same_from_each(
    made: dict[str, Path], source: str, target: str, tmp_path: Path
) -> None:
    done = convert(made[source], tmp_path / "out", target)
    assert (done.source_format, done.format) == (source, target)
    assert_same(data.read(made[source]), data.read(tmp_path / "out"), done)


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("name", ["bccd", "kitti_tiny", "voc2012_100", "tiny_coco"])
def test_a_real_data_set_reads_the_same_from_each_format(
    real_data: Path, name: str, target: str, tmp_path: Path
) -> None:
    source = real_data / name
    if (name, target) == ("bccd", "kitti"):
        with pytest.raises(BadData, match="no box of a class that KITTI scores"):
            convert(source, tmp_path / "out", target, copy="link")
        return
    done = convert(source, tmp_path / "out", target)
    splits = {"bccd": {"train": "train", "val": "val", "test": "test"}}
    splits["tiny_coco"] = {"train2017": "train", "val2017": "val"}
    assert_same(data.read(source), data.read(tmp_path / "out"), done, splits.get(name) if target == "yolo" else None)
    assert done.renamed == {}
