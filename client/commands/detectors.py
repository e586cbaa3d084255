"""`fgfi detectors`: what a spec may name."""

from dataclasses import asdict

from client.output import JsonOption, print_json, print_table
from fgfi_core.spec import DETECTORS, DetectorInfo


def detectors(as_json: JsonOption = False) -> None:
    """List the detectors of the catalogue; needs no service."""
    if as_json:
        print_json([asdict(info) for info in DETECTORS.values()])
        return
    rows = [
        (
            info.name,
            f"{info.parameters / 1e6:.2f} M",
            f"{info.multiply_adds / 1e6:,.0f} M",
            f"{info.reference_size[0]}x{info.reference_size[1]}",
            " ".join(map(str, info.strides)),
        )
        for info in DETECTORS.values()
    ]
    print_table(
        ("detector", "params", "mult-adds", "at", "strides"),
        rows,
        notes=[_note(info) for info in DETECTORS.values()],
    )


def _note(info: DetectorInfo) -> str:
    weights = f" ImageNet weights: {info.weights_licence}." if info.imagenet else ""
    return f"{info.description}{weights}"
