from fgfi_core.spec import DETECTORS
from fgfi_core.spec.recipes import RECIPES, recipe


def test_every_family_has_a_recipe_and_no_recipe_is_without_a_family() -> None:
    assert set(RECIPES) == {info.family for info in DETECTORS.values()}


def test_the_rate_goes_with_the_square_root_of_the_batch() -> None:
    paper = recipe("shuffledet-1x")
    assert paper.rate(32) == 0.02
    assert paper.rate(8) == 0.01
