"""The wide residual network of the PyTorch sides: WRN-28-2 on color images, to 128 features."""
import torch.nn.functional as functional
from torch import nn


class Block(nn.Module):
    """
    A residual block. With `skips` the convolution and the shortcut see the raw input, and what the first batch norm gives
    is not used: so it is in FeatMatch's published code where a block inside the network changes the width.
    """

    def __init__(self, inputs, outputs, stride, momentum, skips):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs, momentum=momentum)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs, momentum=momentum)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = None if inputs == outputs else nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.skips = skips

    def forward(self, x):
        activated = functional.relu(self.bn1(x), inplace=True)
        if self.skips:
            activated = x
        shortcut = x if self.shortcut is None else self.shortcut(activated)
        hidden = functional.relu(self.bn2(self.conv1(activated)), inplace=True)
        return self.conv2(hidden) + shortcut


def wide_resnet(momentum=0.1, is_published=False):
    def group(inputs, outputs, stride, blocks=4):
        skips = is_published and inputs > 16
        layers = [Block(inputs, outputs, stride, momentum, skips)]
        return nn.Sequential(*layers, *[Block(outputs, outputs, 1, momentum, False) for _ in range(blocks - 1)])

    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False),
        group(16, 32, 1),
        group(32, 64, 2),
        group(64, 128, 2),
        nn.BatchNorm2d(128, momentum=momentum),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
