"""The networks of the PyTorch sides, from images to features."""
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


def wide_resnet(channels=3, depth=28, strides=(1, 2, 2), momentum=0.1, is_published=False):
    """WRN-depth-2 (Zagoruyko and Komodakis 2016), to 128 features."""
    blocks = (depth - 4) // 6

    def group(inputs, outputs, stride):
        skips = is_published and inputs > 16
        layers = [Block(inputs, outputs, stride, momentum, skips)]
        return nn.Sequential(*layers, *[Block(outputs, outputs, 1, momentum, False) for _ in range(blocks - 1)])

    return nn.Sequential(
        nn.Conv2d(channels, 16, 3, 1, 1, bias=False),
        group(16, 32, strides[0]),
        group(32, 64, strides[1]),
        group(64, 128, strides[2]),
        nn.BatchNorm2d(128, momentum=momentum),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def cnn13():
    """The network of Laine and Aila 2017 without its noise and dropout, to 128 features."""

    def layers(inputs, sizes):
        for outputs, size, padding in sizes:
            yield from (nn.Conv2d(inputs, outputs, size, 1, padding), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))
            inputs = outputs

    return nn.Sequential(
        *layers(3, [(128, 3, 1)] * 3),
        nn.MaxPool2d(2),
        *layers(128, [(256, 3, 1)] * 3),
        nn.MaxPool2d(2),
        *layers(256, [(512, 3, 0), (256, 1, 0), (128, 1, 0)]),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        is_same = inputs == outputs and stride == 1
        self.downsample = (
            nn.Identity()
            if is_same
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        )

    def forward(self, x):
        hidden = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        return functional.relu(self.bn2(self.conv2(hidden)) + self.downsample(x), inplace=True)


def resnet18():
    """He et al. 2016, to 512 features."""

    def group(inputs, outputs, stride):
        return nn.Sequential(BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1))

    return nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
        group(64, 64, 1),
        group(64, 128, 2),
        group(128, 256, 2),
        group(256, 512, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


# name: (network, its features)
BACKBONES = {"WRN-28-2": (wide_resnet, 128), "CNN-13": (cnn13, 128), "ResNet-18": (resnet18, 512)}
