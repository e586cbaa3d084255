"""ImageNet weights of backbones: torchvision's, fetched once and checked by hash."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlparse

import torch
from torch import Tensor
from torchvision.models import get_weight

from fgfi_core.errors import WeightsUnavailable


def imagenet(name: str) -> Mapping[str, Tensor]:
    """The state dict behind a name of torchvision's, such as `ResNet50_Weights.IMAGENET1K_V1`.

    Kept in torch's own cache. Raises WeightsUnavailable when they are not there and cannot be fetched, or when the
    file is not what its name's hash says.
    """
    weights = get_weight(name)
    try:
        state: Mapping[str, Tensor] = weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError, EOFError) as error:
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise WeightsUnavailable(
            f"the ImageNet weights {name} are not in {folder} and could not be fetched: {error}.",
            hint=f"Put the file {Path(urlparse(weights.url).path).name} of torchvision there, or use init 'random'.",
        ) from error
    return state
