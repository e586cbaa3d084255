"""The order of detections by score, which every rule begins with."""

import numpy as np
from numpy.typing import NDArray


def best_first(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """[D] indices, the best score first, equal ones as they came: `argsort(-scores, kind="stable")`, four times faster.

    The bits of a float order as the number does, once those of negative ones are turned round; and numpy counts numbers
    of 16 bits into place where it has to compare longer ones.
    """
    # Not `-scores`, which makes two zeros of one.
    bits = (np.float32(0) - scores).view(np.int32)
    # Below zero the largest magnitude comes first.
    bits = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))
    return np.lexsort((bits.astype(np.uint16), (bits >> 16).astype(np.int16)))
