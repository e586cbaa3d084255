import pytest

from fgfi_core.training.micro_batch import largest_that_fits


@pytest.mark.parametrize(
    ("batch", "room", "wanted"),
    [(32, 100, 32), (32, 31, 16), (32, 5, 4), (32, 0, 1), (12, 7, 6), (10, 3, 3), (1, 0, 1)],
)
def test_the_largest_part_that_fits_is_found_by_halving(batch: int, room: int, wanted: int) -> None:
    asked: list[int] = []

    def fits(count: int) -> bool:
        asked.append(count)
        return count <= room

    assert largest_that_fits(batch, fits) == wanted
    assert asked == sorted(asked, reverse=True)
