"""The Range header."""

import pytest

from api.byte_range import ByteRange, requested_range


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=0-9", ByteRange(0, 10)),
        ("bytes= 2 - 4", ByteRange(2, 5)),
        ("bytes=3-", ByteRange(3, 10)),
        ("bytes=-4", ByteRange(6, 10)),
        ("bytes=-99", ByteRange(0, 10)),
        ("bytes=9-99", ByteRange(9, 10)),
        ("bytes=10-", "unsatisfiable"),
        ("bytes=-0", "unsatisfiable"),
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-1,4-5", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_a_range_of_ten_bytes(header: str | None, found: object) -> None:
    assert requested_range(header, 10) == found


def test_an_empty_file_has_no_range() -> None:
    assert requested_range("bytes=0-", 0) == "unsatisfiable"
