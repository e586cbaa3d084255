"""`fgfi detectors`: what a spec may name."""

from dataclasses import asdict

from client.output import JsonOption, print_json, print_table
from fgfi_core.spec import DETECTORS, DetectorInfo

MOST_STRIDES = 3


def detectors(as_json: JsonOption = False) -> None:
    """List the detectors of the catalogue; needs no service."""
    if as_json:
        print_json([asdict(info) for info in DETECTORS.values()])
        return
    rows = [
        (
            info.name,
            f"{info.parameters / 1e6:.3g} M",
            f"{info.multiply_adds / 1e9:.3g} G",
            f"{info.reference_size[0]}x{info.reference_size[1]}",
            _span(info.strides),
        )
        for info in DETECTORS.values()
    ]
    print_table(
        ("detector", "params", "mult-adds", "at", "strides"),
        rows,
        notes=[_note(info) for info in DETECTORS.values()],
    )


def _span(strides: tuple[int, ...]) -> str:
    """Each of a few strides; of many, how many there are from which to which."""
    if len(strides) <= MOST_STRIDES:
        return " ".join(map(str, strides))
    return f"{strides[0]} .. {strides[-1]} ({len(strides)})"


def _note(info: DetectorInfo) -> str:
    weights = f" ImageNet weights: {info.weights_licence}." if info.imagenet else ""
    return f"{info.description}{weights}"
