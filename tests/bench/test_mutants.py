"""The list of predicates that are taken out, held against the code."""

from pathlib import Path

import pytest

from bench.mutants import MUTANTS, Mutant
from bench.mutation import mutate

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_predicate_is_where_the_list_says(mutant: Mutant) -> None:
    source = (ROOT / mutant.file).read_text()
    changed = mutate(source, mutant)

    assert changed != source
    compile(changed, mutant.file, "exec")
