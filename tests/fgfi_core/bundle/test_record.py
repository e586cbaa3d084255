import zipfile
from pathlib import Path

import pytest

from fgfi_core.bundle import record
from fgfi_core.errors import BadData


def test_a_bundle_read_back_is_the_bundle_written(bundle: record.Bundle, tmp_path: Path) -> None:
    record.write(bundle, tmp_path / "bundle.zip")
    assert record.read(tmp_path / "bundle.zip") == bundle


def test_the_same_bundle_gives_the_same_bytes(bundle: record.Bundle, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        record.write(bundle, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_its_parts_can_be_read_by_people_and_by_pip_and_sha256sum(bundle: record.Bundle, tmp_path: Path) -> None:
    record.write(bundle, tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        assert archive.read("requirements.txt").decode() == "Jinja2==3.1.0\nnumpy==2.0.0\ntorch==2.15.0\n"
        first = archive.read("data.sha256").decode().splitlines()[0]
        assert first == f"{bundle.data.files[0].sha256}  Annotations/first.xml"
        # Neither data nor weights.
        assert {Path(name).suffix for name in archive.namelist()} == {".json", ".txt", ".sha256"}


def test_a_bundle_that_is_not_there_is_named_without_an_errno(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"absent\.zip: No such file or directory\."):
        record.read(tmp_path / "absent.zip")


def test_what_is_no_bundle_is_refused(bundle: record.Bundle, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(b"text")
    with pytest.raises(BadData, match="is no bundle"):
        record.read(path)
    record.write(bundle.model_copy(update={"about": record.About(version=9, name="later")}), path)
    with pytest.raises(BadData, match="its layout is version 9"):
        record.read(path)
