from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fgfi_core import data
from fgfi_core.data import Example
from fgfi_core.errors import BadData

if TYPE_CHECKING:
    from tests.fgfi_core.data.conftest import YoloFolder


def train(yolo: "YoloFolder") -> tuple[Example, ...]:
    return data.read(yolo.root).splits["train"]


def problems(yolo: "YoloFolder") -> list[str]:
    return [f"{problem.severity} {problem}" for problem in data.scan(yolo.root).problems]


def test_shares_become_pixels(yolo: "YoloFolder") -> None:
    yolo.add("a.png", ["1 0.5 0.5 0.2 0.4"])
    (example,) = train(yolo)
    assert np.allclose(example.boxes, [[40, 24, 60, 56]])
    assert example.labels.tolist() == [1]
    assert (example.width, example.height) == (100, 80)


def test_classes_come_from_the_configuration_as_they_are_written(yolo: "YoloFolder") -> None:
    yolo.config("names:", "  1: no", "  0: 07", "train: images/train")
    yolo.add("a.png")
    assert data.read(yolo.root).classes == ("07", "no")


def test_an_image_without_a_label_has_no_objects(yolo: "YoloFolder") -> None:
    yolo.add("a.png")
    yolo.add("b.png", None)
    yolo.add("c.png", [])
    assert [len(example.boxes) for example in train(yolo)] == [1, 0, 0]
    assert problems(yolo) == []


def test_a_split_without_any_label_is_doubted(yolo: "YoloFolder") -> None:
    yolo.add("a.png", None)
    assert problems(yolo) == ["warning data.yaml: train: no image has a label; looked for labels/train/a.txt"]


def test_images_and_labels_may_lie_within_their_split(yolo: "YoloFolder") -> None:
    yolo.add("a.png")
    for part in ("images", "labels"):
        (yolo.root / "first").mkdir(exist_ok=True)
        (yolo.root / part / "train").rename(yolo.root / "first" / part)
    yolo.config("names: [cell, dot]", "train: first/images")
    assert [len(example.boxes) for example in train(yolo)] == [1]


def test_folders_of_images_are_read_with_those_below(yolo: "YoloFolder") -> None:
    yolo.add("z.png")
    yolo.add("a/b.png")
    assert [example.image_id for example in train(yolo)] == ["images/train/a/b.png", "images/train/z.png"]
    assert [len(example.boxes) for example in train(yolo)] == [1, 1]


def test_a_split_may_be_a_list_of_images_and_several_places(yolo: "YoloFolder") -> None:
    yolo.add("a.png")
    yolo.add("b.png")
    (yolo.root / "lists").mkdir()
    (yolo.root / "lists/one.txt").write_text("../images/train/a.png\n")
    (yolo.root / "one.txt").write_text("./images/train/a.png\n\nimages/train/a.png\nimages/val/ghost.png\n")
    yolo.config("path: .", "names: [cell, dot]", "train: [one.txt, images/val]", "val: lists/one.txt")
    with pytest.raises(BadData, match=r"lists/one\.txt: no usable image in this split"):
        data.scan(yolo.root)
    yolo.config("path: .", "names: [cell, dot]", "train: [one.txt, images/val]", "val:")
    dataset = data.scan(yolo.root)
    assert [example.image_id for example in dataset.splits["train"]] == ["images/train/a.png", "images/val/v.png"]
    assert [str(problem) for problem in dataset.problems] == [
        "one.txt:3: image 'images/train/a.png' is listed twice; first on 1",
        "one.txt:4: there is no image 'images/val/ghost.png'",
    ]


def test_one_image_in_two_splits_is_shared(yolo: "YoloFolder") -> None:
    yolo.config("names: [cell, dot]", "train: [images/train, images/val]", "val: images/val")
    yolo.add("a.png")
    assert data.read(yolo.root).shared("train", "val") == {"images/val/v.png"}


def test_boxes_a_little_over_the_border_are_clipped(yolo: "YoloFolder") -> None:
    yolo.add("a.png", ["0 0.95 0.5 0.2 0.4", "0 0.995 0.5 0.02 0.4", "0 0.5 0.5 0 0.4", "0 0.5 0.5 -0.1 0.4"])
    assert np.allclose(train(yolo)[0].boxes, [[85.0, 24.0, 100.0, 56.0], [98.5, 24.0, 100.0, 56.0]])
    assert problems(yolo) == [
        "warning labels/train/a.txt:1: box (0.95 0.5 0.2 0.4) leaves 100x80; clipped",
        "warning labels/train/a.txt:3: box (0.5 0.5 0 0.4) has no area; dropped",
        "warning labels/train/a.txt:4: box (0.5 0.5 -0.1 0.4) has no area; dropped",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2 0.5 0.5 0.2 0.4", "class is '2'; data.yaml names the classes 0 to 1"),
        ("-1 0.5 0.5 0.2 0.4", "class is '-1'; data.yaml names the classes 0 to 1"),
        ("0.5 0.5 0.5 0.2 0.4", "class is '0.5'; data.yaml names the classes 0 to 1"),
        ("cell 0.5 0.5 0.2 0.4", "class is 'cell', not a number"),
        ("0 0.5 nan 0.2 0.4", "cy is 'nan', not a number"),
        ("0 0.5 0.5 wide 0.4", "w is 'wide', not a number"),
        ("0 0.5 0.5 1e999 0.4", "w is '1e999', not a number"),
        ("0 50 40 20 32", "box 50 40 20 32 lies outside the image; are they shares"),
        ("0 0.95 0.5 0.4 0.4", "box 0.95 0.5 0.4 0.4 lies outside the image"),
        ("0 0.5 0.5 0.2", "5 numbers are expected, class cx cy w h, found 4"),
        ("0 0.5 0.5 0.2 0.4 0.9", "5 numbers are expected, class cx cy w h, found 6"),
        ("0 0.1 0.1 0.9 0.1 0.5 0.9", "7 numbers are a polygon; only boxes are read: class cx cy w h"),
    ],
)
def test_a_broken_line_is_named_and_its_image_left_out(yolo: "YoloFolder", line: str, message: str) -> None:
    yolo.add("a.png")
    yolo.add("b.png", ["0 0.5 0.5 0.2 0.4", line])
    with pytest.raises(BadData, match="1 unusable entry") as caught:
        data.read(yolo.root)
    assert f"labels/train/b.txt:2: {message}" in str(caught.value)
    assert len(data.scan(yolo.root).splits["train"]) == 1


def test_whole_classes_may_be_written_as_fractions(yolo: "YoloFolder") -> None:
    yolo.add("a.png", ["1.0 0.5 0.5 0.2 0.4"])
    assert train(yolo)[0].labels.tolist() == [1]


def test_a_label_that_is_no_text_is_named(yolo: "YoloFolder") -> None:
    yolo.add("a.png")
    yolo.add("b.png").write_bytes(b"0 \xff")
    assert problems(yolo) == ["error labels/train/b.txt: cannot be read as text: byte 2 is not UTF-8"]


def test_a_file_that_is_no_image_is_named(yolo: "YoloFolder") -> None:
    yolo.add("a.png")
    yolo.add("b.png")
    (yolo.root / "images/train/b.png").write_text("not pixels")
    (problem,) = problems(yolo)
    assert problem.startswith("error images/train/b.png: not an image in a format we read")


@pytest.mark.parametrize("part", ["images/train/b.png", "labels/train/b.txt"])
def test_a_link_out_of_the_folder_is_not_followed(yolo: "YoloFolder", part: str) -> None:
    yolo.add("a.png")
    yolo.add("b.png")
    (yolo.root / part).rename(yolo.root.parent / "elsewhere")
    (yolo.root / part).symlink_to(yolo.root.parent / "elsewhere")
    (problem,) = problems(yolo)
    assert problem == f"error {part}: is reached by a link that leads out of the data set"


def test_a_list_cannot_point_outside(yolo: "YoloFolder") -> None:
    yolo.add("a.png")
    (yolo.root / "one.txt").write_text("images/train/a.png\n../b.png\n/etc/hostname\n")
    yolo.config("names: [cell, dot]", "train: one.txt")
    assert problems(yolo) == [
        "error one.txt:2: '../b.png' points outside the data set",
        "error one.txt:3: '/etc/hostname' points outside the data set",
    ]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("", r"data\.yaml: is not a mapping"),
        ("- names", r"data\.yaml: is not a mapping"),
        ("names: [a\ntrain: x", r"data\.yaml:2: is not YAML: expected"),
        ("names: \0", r"data\.yaml: is not YAML: unacceptable character"),
        ("[" * 20_000, r"data\.yaml: is nested too deeply"),
        ("train: images/train", r"data\.yaml: names is None, not a list of classes"),
        ("names: []", r"data\.yaml: names is \[\], not a list of classes"),
        ("names: {0: a, 2: b}", r"data\.yaml: the numbers of names are not 0 to 1"),
        ("names: [a, [b]]", r"data\.yaml: names\[1\] is \['b'\], not a name"),
        ("names: [a, '']", r"data\.yaml: names\[1\] is '', not a name"),
        ("names: [a, a]", r"data\.yaml: names\[1\] is 'a', as another is"),
        ("names: [a]\nnc: 2", r"data\.yaml: nc is '2', but there are 1 names"),
        ("names: [a]", r"data\.yaml: names no split\. Add for instance 'train: images/train'"),
        ("names: [a]\ntrain: {a: b}", r"data\.yaml: train is \{'a': 'b'\}, not a folder or list"),
        ("names: [a]\ntrain: images/ghost", r"train: there is no folder, and no list \*\.txt, 'images/ghost'"),
        ("names: [a]\ntrain: data.yaml", r"train: there is no folder, and no list \*\.txt, 'data\.yaml'"),
        ("names: [a]\ntrain: ../train/images", r"train: '\.\./train/images' points outside the data set.*relative to"),
        ("names: [a]\ntrain: /etc", r"data\.yaml: train: '/etc' points outside the data set"),
        ("path: ../cells\nnames: [a]\ntrain: x", r"path: '\.\./cells' points outside the data set\. Remove it"),
        ("path: /etc\nnames: [a]\ntrain: x", r"path: '/etc' points outside the data set"),
        ("path: cells\nnames: [a]\ntrain: x", r"path: there is no folder 'cells' in the data set"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(yolo: "YoloFolder", config: str, message: str) -> None:
    (yolo.root / "data.yaml").write_text(config)
    with pytest.raises(BadData, match=message):
        data.scan(yolo.root)


def test_paths_may_begin_in_a_folder_of_the_data_set(yolo: "YoloFolder") -> None:
    yolo.config("path: ./images", "names: [cell, dot]", "train: train")
    yolo.add("a.png")
    assert [example.image_id for example in train(yolo)] == ["images/train/a.png"]


def test_an_empty_split_is_refused(yolo: "YoloFolder") -> None:
    with pytest.raises(BadData, match="images/train: no usable image in this split"):
        data.scan(yolo.root)


def test_data_without_any_box_are_refused(yolo: "YoloFolder") -> None:
    yolo.add("a.png", [])
    yolo.add("v.png", [], split="val")
    with pytest.raises(BadData, match="no usable box in any image"):
        data.scan(yolo.root)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=30) | st.text("0123456789.-e na[]{}:&*,!\n", max_size=30).map(str.encode), st.booleans())
def test_whatever_stands_in_a_file_is_read_or_refused_in_words(
    yolo: "YoloFolder", content: bytes, configuration: bool
) -> None:
    label = yolo.add("a.png")
    yolo.config("names: [cell, dot]", "train: images/train", "val: images/val")
    if configuration:
        (yolo.root / "data.yaml").write_bytes(b"train: images/train\nnames: " + content)
    else:
        label.write_bytes(content)
    try:
        report = data.check(yolo.root)
    except BadData as refused:
        said = refused.message
    else:
        said = report.model_dump_json()
    assert said


def test_a_real_data_set_reads_the_same_as_in_its_own_format(real_data: Path, tmp_path: Path) -> None:
    """Deep PCB, written as YOLO with every digit."""
    dataset = data.read(real_data / "deeppcb")
    (tmp_path / "data.yaml").write_text(f"names: {list(dataset.classes)}\ntrain: images/train\n")
    for part in ("images", "labels"):
        (tmp_path / part / "train").mkdir(parents=True)
    examples = dataset.splits["test"][:50]
    for example in examples:
        (tmp_path / "images/train" / example.path.name).write_bytes(example.path.read_bytes())
        size = np.array([example.width, example.height])
        corners = example.boxes.astype(np.float64).reshape(-1, 2, 2) / size
        rows = np.hstack([corners.mean(axis=1), corners[:, 1] - corners[:, 0]]).tolist()
        lines = [f"{label} {' '.join(map(repr, row))}\n" for label, row in zip(example.labels, rows, strict=True)]
        (tmp_path / "labels/train" / f"{example.path.stem}.txt").write_text("".join(lines))
    found = {example.path.name: example for example in data.read(tmp_path).splits["train"]}
    assert set(found) == {example.path.name for example in examples}
    for example in examples:
        assert np.allclose(found[example.path.name].boxes, example.boxes, atol=1e-3)
        assert found[example.path.name].labels.tolist() == example.labels.tolist()
