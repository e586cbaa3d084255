"""What others build on, as a program that imports nothing but the package would use it."""

import subprocess
import sys

PROGRAM = """
import fgfi_core
detector = fgfi_core.detectors.create("ssd-shufflenetv2-0.25x", 3, (64, 64))
(anchors,) = detector.anchors()
mask = fgfi_core.imitation.estimate_region(anchors, anchors[1, 2, :1], 0.5)
print(fgfi_core.run.__name__, mask.dtype, tuple(mask.shape), bool(mask[1, 2]))
"""


def test_one_import_reaches_the_whole_public_api() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["run", "torch.bool", "(4,", "4)", "True"]


def test_the_spec_alone_loads_neither_torch_nor_numpy() -> None:
    program = "import sys, fgfi_core.spec; print(sorted({'torch', 'numpy'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
