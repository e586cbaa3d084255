"""The adaptation layer between a student's map and the teacher's (Wang et al., CVPR 2019, section 3.2)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

INIT_STD = 1e-4  # of a normal distribution cut off at two deviations


class Adapter(nn.Module):
    """A 3x3 convolution and a ReLU that bring the student's map to the teacher's channels.

    Used even where the channels already agree: forcing the student's own map to be the teacher's gains little. It is
    trained with the student and left out of what is delivered.
    """

    def __init__(self, student_channels: int, teacher_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(student_channels, teacher_channels, kernel_size=3, padding=1)
        nn.init.trunc_normal_(self.conv.weight, std=INIT_STD, a=-2 * INIT_STD, b=2 * INIT_STD)
        nn.init.zeros_(_bias(self.conv))

    def forward(self, x: Tensor) -> Tensor:
        """Adapt every cell; x: [B, Cs, H, W], result: [B, Ct, H, W]."""
        adapted: Tensor = self.conv(x)
        return adapted.relu()

    def masked(self, x: Tensor, mask: Tensor) -> Tensor:
        """Adapt the masked cells alone, [N_p, Ct] in the order of `mask.nonzero()`; equals `forward` there.

        x: [B, Cs, H, W]. mask: bool [B, H, W]. An empty mask gives [0, Ct], still part of the graph.
        """
        weight = self.conv.weight.permute(0, 2, 3, 1).flatten(1)
        return functional.linear(_patches(x, mask), weight, _bias(self.conv)).relu()


def _patches(x: Tensor, mask: Tensor) -> Tensor:
    """The 3x3 neighbourhoods of the masked cells, [N_p, 9 * C], zeros beyond the border."""
    channels, width = x.shape[1], x.shape[3] + 2
    padded = functional.pad(x.movedim(1, -1), (0, 0, 1, 1, 1, 1))
    image, row, column = mask.nonzero(as_tuple=True)
    corner = (image * padded.shape[1] + row) * width + column
    steps = torch.arange(3, device=x.device)
    window = (steps[:, None] * width + steps).flatten()
    cells = (corner[:, None] + window).flatten()
    return padded.reshape(-1, channels).index_select(0, cells).view(-1, 9 * channels)


def _bias(conv: nn.Conv2d) -> Tensor:
    if conv.bias is None:
        raise TypeError("the adaptation layer has a bias")
    return conv.bias
