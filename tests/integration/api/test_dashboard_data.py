"""The pages of data sets and models without a browser: what is in their HTML, and whose."""

import pytest
from starlette.testclient import TestClient

from store import datasets, models, projects
from store.database import Sessions
from store.models import Architecture
from store.tables import Dataset, Model, Thumbnail

HOSTILE = '"><img src=x onerror=alert(1)>'
OURS = {"sec-fetch-site": "same-origin"}
RANGE = {"smallest": 1, "median": 1, "largest": 1}


def a_dataset(sessions: Sessions, project_id: str, name: str = "cells") -> str:
    with sessions.begin() as session:
        row = datasets.begin(session, project_id, name)
        row.state, row.size, row.sha256 = "rejected", 5, "ab" * 32
        row.error = {"code": "unusable_data", "message": f"wrong: {HOSTILE}", "hint": "Mend it."}
        row.report = {
            "format": "voc",
            "images": 1,
            "boxes": 1,
            "splits": {HOSTILE: {"images": 1, "empty": 0, "boxes": 1, "difficult": 0}},
            "classes": {HOSTILE: {"boxes": 1, "images": 1, "median_width": 2.0, "median_height": 3.0}},
            "width": RANGE,
            "height": RANGE,
            "problems": [{"severity": "error", "file": f"{HOSTILE}.xml", "line": 17, "message": "is broken"}],
            "problem_counts": {"error": 1, "warning": 0},
        }
        return row.id


def a_model(sessions: Sessions, project_id: str, name: str = "cells") -> str:
    with sessions.begin() as session:
        row = models.begin(session, project_id, name, Architecture("shuffledet-1x", (HOSTILE,), (320, 240), ()))
        row.state, row.size, row.sha256 = "rejected", 5, "cd" * 32
        row.report = {"tensors": 1, "parameters": 1, "differences": 1, "missing": [HOSTILE]}
        return row.id


def test_a_report_names_file_and_line_and_stays_text(visitor: TestClient, sessions: Sessions, project_id: str) -> None:
    for path in ("/datasets", f"/datasets/{a_dataset(sessions, project_id, HOSTILE)}"):
        text = visitor.get(path).text
        assert "<img" not in text
        assert "&lt;img" in text
        assert path == "/datasets" or (".xml:17</code>" in text and "Mend it." in text)


def test_small_pictures_are_shown_with_their_boxes_and_every_name_escaped(
    visitor: TestClient, sessions: Sessions, project_id: str
) -> None:
    identity = a_dataset(sessions, project_id)
    assert "<img" not in visitor.get(f"/datasets/{identity}").text
    boxes = [{"label": HOSTILE, "box": [12.5, 30.0, 96.0, 110.5]}, {"label": "WBC", "box": [1.0, 2.0, 3.0, 4.0]}]
    with sessions.begin() as session:
        session.add(
            Thumbnail(
                dataset_id=identity,
                number=7,
                image=f"{HOSTILE}.jpg",
                split="test",
                width=320,
                height=240,
                boxes=[*boxes, boxes[0]],
                object_key="datasets/7.webp",
                size=4,
                sha256="ab" * 32,
            )
        )
    text = visitor.get(f"/datasets/{identity}").text
    assert f'<img src="/v1/datasets/{identity}/thumbnails/7" alt="" width="320" height="240"' in text
    assert text.count('<rect class="line" x="12.5" y="30.0" width="83.5" height="80.5"/>') == 2
    assert "1 WBC" in text
    assert text.count("<img") == 1
    assert "<title>&#34;&gt;&lt;img" in text
    assert "style=" not in text


def test_a_model_s_mismatches_are_listed_and_stay_text(
    visitor: TestClient, sessions: Sessions, project_id: str
) -> None:
    for path in ("/models", f"/models/{a_model(sessions, project_id, HOSTILE)}"):
        text = visitor.get(path).text
        assert "<img" not in text
        assert "&lt;img" in text
        assert path == "/models" or "Missing" in text


@pytest.mark.parametrize(("kind", "make"), [("datasets", a_dataset), ("models", a_model)])
def test_another_projects_are_not_there(visitor: TestClient, sessions: Sessions, kind: str, make: object) -> None:
    with sessions.begin() as session:
        other = projects.ensure(session, "other").id
    identity = make(sessions, other)  # type: ignore[operator]
    assert identity not in visitor.get(f"/{kind}").text
    assert visitor.get(f"/{kind}/{identity}").status_code == 404
    assert visitor.get(f"/{kind}/{identity}/whole").status_code == 404
    assert visitor.post(f"/{kind}/{identity}/delete", headers=OURS).status_code == 404


@pytest.mark.parametrize(
    ("kind", "make", "table"), [("datasets", a_dataset, Dataset), ("models", a_model, Model)], ids=["data", "models"]
)
def test_deleting_comes_from_our_own_pages_alone(
    visitor: TestClient, sessions: Sessions, project_id: str, kind: str, make: object, table: type[Dataset | Model]
) -> None:
    path = f"/{kind}/{make(sessions, project_id)}"  # type: ignore[operator]
    assert visitor.post(f"{path}/delete", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert visitor.get(path).status_code == 200
    assert visitor.post(f"{path}/delete", headers=OURS).headers["location"] == f"/{kind}"
    assert visitor.get(path).status_code == 404
    with sessions.begin() as session:
        row = session.get_one(table, path.rpartition("/")[2])
        assert isinstance(row, Dataset | Model)
        assert row.deleted_at is not None


def test_the_revisions_of_a_name_are_beside_one_another(
    visitor: TestClient, sessions: Sessions, project_id: str
) -> None:
    first, second, other = (a_dataset(sessions, project_id, name) for name in ("cells", "cells", "signs"))
    text = visitor.get(f"/datasets/{first}").text
    assert f'href="/datasets/{second}"' in text
    assert other not in text
