"""One hash for the weights of a detector, whatever file holds them."""

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor


def sha256(tensors: Mapping[str, Tensor]) -> str:
    """Hash of names, types, shapes and bytes, in order of the names: equal when all weights are, to the last bit."""
    whole = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        plain = tensor.detach().to("cpu").contiguous()
        whole.update(f"{name} {plain.dtype} {list(plain.shape)}\n".encode())
        whole.update(plain.reshape(-1).view(torch.uint8).numpy().data)
    return whole.hexdigest()
