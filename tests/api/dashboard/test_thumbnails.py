"""The pictures of a data set, laid out."""

from api.dashboard.views.thumbnails import INKS, pictures
from store.tables import Thumbnail


def a_thumbnail(number: int, *labels: str) -> Thumbnail:
    boxes = [{"label": label, "box": [1.0, 2.0, 11.5, 22.0]} for label in labels]
    names = {"image": f"image-{number}", "split": "test", "width": 320, "height": 240}
    return Thumbnail(dataset_id="ds_1", number=number, boxes=boxes, **names)


def test_the_commonest_classes_have_an_ink_of_their_own_and_the_rest_share_one() -> None:
    found = pictures([a_thumbnail(1, "g", "f", "e", "d", "c", "b", "b"), a_thumbnail(2, "c")])
    assert found is not None
    assert found.key == ("b", "c", "d", "e", "f")
    assert len(found.key) == INKS
    assert found.others == 1
    assert [box.ink for box in found.pictures[0].boxes] == [0, 5, 4, 3, 2, 1, 1]


def test_a_picture_says_where_it_is_and_what_is_on_it() -> None:
    found = pictures([a_thumbnail(1, "WBC", "RBC", "RBC"), a_thumbnail(2)])
    assert found is not None
    first, second = found.pictures
    assert (first.href, first.counted) == ("/v1/datasets/ds_1/thumbnails/1", "2 RBC, 1 WBC")
    assert second.counted == "no box"
    box = first.boxes[0]
    assert (box.x, box.y, box.width, box.height) == (1.0, 2.0, 10.5, 20.0)


def test_without_pictures_there_is_nothing_to_show() -> None:
    assert pictures([]) is None
