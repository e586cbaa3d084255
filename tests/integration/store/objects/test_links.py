import time
from datetime import timedelta
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from store.objects import S3Store

KEY = "jobs/job_1/attempts/1/a=b_c-d.e"
MINUTE = timedelta(minutes=1)


def status_of(link: str) -> int:
    try:
        with urlopen(link, timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_a_link_downloads_the_object_without_a_key(s3: S3Store) -> None:
    s3.put(KEY, [b"content"])
    link = s3.presign(KEY, MINUTE)
    assert link is not None
    with urlopen(link, timeout=30) as answer:
        assert answer.read() == b"content"


@pytest.mark.parametrize("filename", ["student.onnx", 'wei"rd; näme +%.pt'])
def test_a_link_names_the_file(s3: S3Store, filename: str) -> None:
    s3.put(KEY, [b"content"])
    link = s3.presign(KEY, MINUTE, filename=filename)
    assert link is not None
    with urlopen(link, timeout=30) as answer:
        assert answer.read() == b"content"
        assert answer.headers.get_filename() == filename
        assert answer.headers["content-disposition"].startswith("attachment")


def test_a_link_says_when_it_ends(s3: S3Store) -> None:
    link = s3.presign(KEY, timedelta(hours=2), filename="x")
    assert link is not None
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["7200"]


@pytest.mark.parametrize("filename", [None, "x.pt"])
def test_a_link_ends(s3: S3Store, filename: str | None) -> None:
    s3.put(KEY, [b"content"])
    link = s3.presign(KEY, timedelta(seconds=1), filename=filename)
    assert link is not None
    deadline = time.monotonic() + 20
    while (status := status_of(link)) == 200:
        assert time.monotonic() < deadline
    assert status in {400, 401, 403}


@pytest.mark.parametrize("changed", ["other_key", "other_filename"])
def test_a_link_opens_nothing_else(s3: S3Store, changed: str) -> None:
    s3.put(KEY, [b"content"])
    s3.put("jobs/secret", [b"secret"])
    link = s3.presign(KEY, MINUTE, filename="x.pt")
    assert link is not None
    path = urlsplit(link).path
    other_path = path.removesuffix("jobs/job_1/attempts/1/a%3Db_c-d.e") + "jobs/secret"
    forged = link.replace(path, other_path) if changed == "other_key" else link.replace("x.pt", "y.pt")
    assert forged != link
    assert status_of(forged) in {401, 403}


@pytest.mark.parametrize("valid", [timedelta(0), timedelta(seconds=-1), timedelta(days=7, seconds=1)])
def test_a_link_lasts_up_to_seven_days(s3: S3Store, valid: timedelta) -> None:
    with pytest.raises(ValueError, match="7 days"):
        s3.presign(KEY, valid)


def test_a_link_with_a_name_needs_a_key_to_sign_with(s3: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert s3.presign(KEY, MINUTE, filename="x") is None
    assert s3.presign(KEY, MINUTE) is not None


def test_a_key_that_is_none_gets_no_link(s3: S3Store) -> None:
    with pytest.raises(ValueError, match="no object key"):
        s3.presign("../x", MINUTE)
