"""Global context of a map: what FGD's relation loss compares (GcBlock, Cao et al., ICCV workshops 2019)."""

from torch import Tensor, nn

_REDUCTION = 2  # as in FGD's programs


class ContextBlock(nn.Module):
    """Adds to each cell what attention over the whole map gathers: the map plus one vector an image.

    The last convolution starts at zero, so that the block starts as the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // _REDUCTION)
        self.attention = nn.Conv2d(channels, 1, kernel_size=1, bias=False)  # the softmax would ignore one
        self.transform = nn.Sequential(
            nn.Conv2d(channels, inner, kernel_size=1),
            nn.LayerNorm([inner, 1, 1]),
            nn.ReLU(),
            nn.Conv2d(inner, channels, kernel_size=1),
        )
        nn.init.kaiming_normal_(self.attention.weight, mode="fan_in", nonlinearity="relu")
        for parameter in self.transform[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, C, H, W], result the same."""
        weights = self.attention(x).flatten(2).softmax(-1)
        context = x.flatten(2) @ weights.mT
        added: Tensor = x + self.transform(context[..., None])
        return added
