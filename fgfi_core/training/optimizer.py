"""What is trained, and at which pace."""

from typing import Any

import torch
from torch import nn

from fgfi_core.training.task import Learner

ADAPTER_WEIGHT_DECAY = 5e-4
SQUARES_DECAY = 0.999  # of AdamW's mean of squares, as everywhere


def optimizer(learner: Learner) -> torch.optim.Optimizer:
    """The schedule's optimiser over weights with decay, biases at their own rate, the rest, and adapters.

    Each group's `factor` is what the schedule's learning rate is multiplied by.
    """
    model = learner.detector
    decayed = model.weight_decay_parameters()
    weights: list[nn.Parameter] = []
    biases: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            kind = weights if name in decayed else biases if name.endswith(".bias") else others
            kind.append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": weights, "weight_decay": learner.schedule.weight_decay, "factor": 1.0},
        {"params": biases, "weight_decay": 0.0, "factor": learner.bias_factor},
        {"params": others, "weight_decay": 0.0, "factor": 1.0},
    ]
    if learner.imitate is not None:
        adapters = list(learner.imitate.module.parameters())
        groups.append({"params": adapters, "weight_decay": ADAPTER_WEIGHT_DECAY, "factor": 1.0})
    groups = [group for group in groups if group["params"]]
    if learner.schedule.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=0.0, betas=(learner.schedule.momentum, SQUARES_DECAY))
    return torch.optim.SGD(groups, lr=0.0, momentum=learner.schedule.momentum)
