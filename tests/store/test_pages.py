from datetime import UTC, datetime

import pytest

from store.errors import BadCursor
from store.pages import decode, encode


@pytest.mark.parametrize(
    "cursor", ["", "!", "bm90IGpzb24", "WzEsMl0", "WyJ4IiwieSJd", "eyJhIjoxfQ", "WyIyMDI2LTAxLTAxIiwiYSJd", "é"]
)
def test_a_cursor_not_made_here_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        decode(cursor)


def test_a_cursor_reads_back() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert decode(encode(moment, "job_1")) == (moment, "job_1")
