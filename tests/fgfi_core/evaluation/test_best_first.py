import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fgfi_core.evaluation.best_first import best_first

_any = st.floats(width=32, allow_nan=False)


@given(arrays(np.float32, st.integers(0, 30), elements=_any | st.sampled_from([0.0, -0.0, 0.5, 0.25, -0.5])))
def test_the_order_is_that_of_a_stable_sort(scores: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
    assert best_first(scores).tolist() == np.argsort(-scores, kind="stable").tolist()
