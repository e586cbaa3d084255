"""Names in the files that torchvision published before its version 0.13, whose convolutions lay one level higher."""

import re
from collections.abc import Container

# Once a convolution, now a sequence that begins with one; RetinaNet's heads had their ReLUs in the same list.
_PYRAMID = re.compile(r"(.*fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)")
_PROPOSALS = re.compile(r"(.*rpn\.head\.conv)\.(weight|bias)")
_RETINANET = re.compile(r"(.*head\.(?:classification|regression)_head\.conv)\.(\d+)\.(weight|bias)")


def todays_name(name: str, known: Container[str]) -> str:
    """The name among `known` that a tensor has today; the name itself where it is known, or no older one of any."""
    if name in known:
        return name
    if match := _PYRAMID.fullmatch(name):
        newer = f"{match[1]}.0.{match[2]}"
    elif match := _PROPOSALS.fullmatch(name):
        newer = f"{match[1]}.0.0.{match[2]}"
    elif match := _RETINANET.fullmatch(name):
        newer = f"{match[1]}.{int(match[2]) // 2}.0.{match[3]}"
    else:
        return name
    return newer if newer in known else name
