import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select, update

from store import check_leases, datasets, quota, thumbnails
from store.database import Sessions
from store.objects import FolderStore, ObjectStore
from store.tables import Dataset, Garbage
from tests.fgfi_core.data.hostile import ARCHIVES
from worker.checks import check_dataset
from worker.workplace import Workplace

pytestmark = pytest.mark.integration

ANNOTATION = """<annotation><filename>{name}.png</filename><size><width>32</width><height>24</height><depth>3</depth>
</size><object><name>cell</name><difficult>0</difficult><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>12</xmax>
<ymax>13</ymax></bndbox></object></annotation>"""

Upload = Callable[[bytes], str]


def picture() -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (32, 24), "white").save(kept, "PNG")
    return kept.getvalue()


def voc(**broken: bytes) -> bytes:
    """A data set of two images; `broken` replaces the content of images by name."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, split in (("one", "trainval"), ("two", "test")):
            archive.writestr(f"Annotations/{name}.xml", ANNOTATION.format(name=name))
            archive.writestr(f"JPEGImages/{name}.png", broken.get(name, picture()))
            archive.writestr(f"ImageSets/Main/{split}.txt", f"{name}\n")
    return kept.getvalue()


@pytest.fixture
def upload(sessions: Sessions, objects: ObjectStore, project_id: str) -> Upload:
    def send(content: bytes) -> str:
        with sessions.begin() as session:
            row = datasets.begin(session, project_id, "cells")
        stored = objects.put(row.object_key, [content])
        with sessions.begin() as session:
            datasets.uploaded(session, project_id, row.id, size=stored.size, sha256=stored.sha256)
        return row.id

    return send


@pytest.fixture
def read(sessions: Sessions) -> Callable[[str], Dataset]:
    def one(dataset_id: str) -> Dataset:
        with sessions.begin() as session:
            return session.get_one(Dataset, dataset_id)

    return one


def test_a_good_data_set_is_ready_with_its_report(place: Workplace, upload: Upload, read: Any) -> None:
    dataset_id = upload(voc())
    assert check_dataset(place, dataset_id)
    row = read(dataset_id)
    assert (row.state, row.error, row.report["images"], row.report["boxes"]) == ("ready", None, 2, 2)


def test_a_broken_image_is_named(place: Workplace, upload: Upload, read: Any) -> None:
    dataset_id = upload(voc(two=picture()[:60]))
    check_dataset(place, dataset_id)
    row = read(dataset_id)
    assert (row.state, row.error["code"]) == ("rejected", "unusable_data")
    assert "two.png" in row.error["message"]


def test_what_is_rejected_is_told_without_names_of_our_own(place: Workplace, upload: Upload, read: Any) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("readme.txt", "hello")
    for content, told in ((packed.getvalue(), "found readme.txt"), (packed.getvalue()[:60], "damaged")):
        dataset_id = upload(content)
        check_dataset(place, dataset_id)
        row = read(dataset_id)
        assert told in row.error["message"]
        assert row.sha256[:12] not in row.error["message"]
        assert ".archive" not in row.error["message"]
        assert row.error["hint"]


def test_what_is_no_archive_is_rejected(place: Workplace, upload: Upload, read: Any) -> None:
    dataset_id = upload(b"hello")
    check_dataset(place, dataset_id)
    row = read(dataset_id)
    assert (row.state, row.error["code"], row.report) == ("rejected", "bad_archive", None)


def test_a_data_set_is_checked_once(place: Workplace, upload: Upload) -> None:
    dataset_id = upload(voc())
    assert check_dataset(place, dataset_id)
    assert not check_dataset(place, dataset_id)


def test_a_check_under_way_is_not_begun_twice(place: Workplace, upload: Upload, sessions: Sessions) -> None:
    dataset_id = upload(voc())
    with sessions.begin() as session:
        assert datasets.claim_check(session, dataset_id, timedelta(minutes=1)) is not None
    assert not check_dataset(place, dataset_id)


def test_a_data_set_that_brings_its_checker_down_is_rejected(
    place: Workplace, upload: Upload, sessions: Sessions, read: Any
) -> None:
    dataset_id = upload(voc())
    for _ in range(check_leases.MAX_CHECKS):
        with sessions.begin() as session:
            assert datasets.claim_check(session, dataset_id, timedelta(minutes=1)) is not None
            past = func.clock_timestamp() - timedelta(seconds=1)
            session.execute(update(Dataset).values(check_expires_at=past))
    assert not check_dataset(place, dataset_id)
    assert (read(dataset_id).state, read(dataset_id).error["code"]) == ("rejected", "check_failed")


def test_an_archive_that_is_missing_is_tried_again(
    place: Workplace, upload: Upload, sessions: Sessions, objects: ObjectStore, read: Any
) -> None:
    dataset_id = upload(voc())
    objects.delete(read(dataset_id).object_key)
    assert check_dataset(place, dataset_id)
    assert read(dataset_id).state == "checking"
    with sessions.begin() as session:
        assert session.scalar(select(Dataset.checks).where(Dataset.id == dataset_id)) == 1


def test_an_object_store_that_is_away_costs_a_data_set_nothing(
    place: Workplace, upload: Upload, sessions: Sessions, read: Any, tmp_path: Path
) -> None:
    dataset_id = upload(voc())
    away = replace(place, objects=FolderStore(tmp_path / "gone"))
    (tmp_path / "gone").rename(tmp_path / "unmounted")
    assert check_dataset(away, dataset_id)
    with sessions.begin() as session:
        assert session.scalar(select(Dataset.checks).where(Dataset.id == dataset_id)) == 0
        past = func.clock_timestamp() - timedelta(seconds=1)
        session.execute(update(Dataset).values(check_expires_at=past))
    assert check_dataset(place, dataset_id)
    assert read(dataset_id).state == "ready"


def test_a_checked_data_set_has_pictures_with_their_boxes_and_told_how_far_it_was(
    place: Workplace, upload: Upload, read: Any, sessions: Sessions, objects: ObjectStore, project_id: str
) -> None:
    dataset_id = upload(voc())
    check_dataset(place, dataset_id)
    assert read(dataset_id).progress == {"done": 0, "total": 2}
    with sessions.begin() as session:
        found = thumbnails.list_all(session, project_id, dataset_id)
    assert sorted((one.split, one.width, one.height) for one in found) == [("test", 32, 24), ("trainval", 32, 24)]
    assert all(one.boxes == [{"label": "cell", "box": [1.0, 2.0, 12.0, 13.0]}] for one in found)
    assert Image.open(io.BytesIO(b"".join(objects.get(found[0].object_key)))).size == (32, 24)
    with sessions.begin() as session:
        datasets.delete(session, project_id, dataset_id)
        assert set(session.scalars(select(Garbage.object_key))) >= {one.object_key for one in found}


@pytest.mark.parametrize("name", ["zip: parent path", "zip: zip64 that lies", "tar: symbolic link", "another format"])
def test_of_a_hostile_archive_nothing_stays_but_the_reason(
    place: Workplace,
    upload: Upload,
    read: Callable[[str], Dataset],
    objects: ObjectStore,
    sessions: Sessions,
    project_id: str,
    name: str,
) -> None:
    make, message = ARCHIVES[name]
    dataset_id = upload(make())
    assert check_dataset(place, dataset_id)
    row = read(dataset_id)
    assert (row.state, (row.error or {})["code"]) == ("rejected", "bad_archive")
    assert message in (row.error or {})["message"]
    with sessions.begin() as session:
        due = list(session.scalars(select(Garbage.object_key)))
        assert quota.used(session, project_id) == 0
    assert due == [found.key for found in objects.list()]  # All that is there is the steward's to delete.
    cache = place.settings.worker_cache  # Empty files in it are locks.
    assert [path for path in cache.rglob("*") if path.is_file() and path.stat().st_size] == []
