"""The networks of the published code, with its parameter names."""

import torch
from torch import nn
from torch.nn import functional


class WideBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, is_first):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs, momentum=0.001)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs, momentum=0.001)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.changes_width = inputs != outputs
        if self.changes_width:
            self.convShortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.is_first = is_first

    def forward(self, x):
        activated = functional.relu(self.bn1(x))
        if self.changes_width and not self.is_first:
            activated = x  # what batch-norm computed is not used
        shortcut = self.convShortcut(activated) if self.changes_width else x
        return shortcut + self.conv2(functional.relu(self.bn2(self.conv1(activated))))


class WideGroup(nn.Module):
    def __init__(self, inputs, outputs, blocks, stride, is_first):
        super().__init__()
        self.layer = nn.Sequential(
            *[
                WideBlock(inputs if i == 0 else outputs, outputs, stride if i == 0 else 1, is_first and i == 0)
                for i in range(blocks)
            ]
        )

    def forward(self, x):
        return self.layer(x)


def wide_resnet(channels, depth, width):
    widths = [16, 16 * width, 32 * width, 64 * width]
    groups = [
        WideGroup(widths[i], widths[i + 1], (depth - 4) // 6, 1 if i == 0 else 2, i == 0) for i in range(3)
    ]
    stem = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
    return nn.Sequential(stem, *groups, nn.BatchNorm2d(widths[3], momentum=0.001), nn.ReLU(), Pool())


class Pool(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def cnn13(channels):
    def group(inputs, layers):
        parts = []
        for outputs, size, padding in layers:
            parts += [nn.Conv2d(inputs, outputs, size, 1, padding), nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs = outputs
        return nn.Sequential(*parts)

    class Network(nn.Sequential):
        def forward(self, x):
            x = functional.max_pool2d(self[0](x), 2)
            x = functional.max_pool2d(self[1](x), 2)
            return self[2](x).mean((2, 3))

    return Network(
        group(channels, [(128, 3, 1)] * 3),
        group(128, [(256, 3, 1)] * 3),
        group(256, [(512, 3, 0), (256, 1, 0), (128, 1, 0)]),
    )


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        residual = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(residual + (x if self.downsample is None else self.downsample(x)))


def resnet18(channels):
    """torchvision's parts as a list, so that their names are positions."""
    layers = [
        nn.Sequential(BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1))
        for inputs, outputs, stride in [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]
    ]
    stem = [nn.Conv2d(channels, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, *layers, Pool())


class Attention(nn.Module):
    """AugF as published: [attended, e_x], and the attention divided by √d."""

    def __init__(self, dimension, heads):
        super().__init__()
        self.heads, self.depth = heads, dimension // heads
        for i in range(heads):
            setattr(self, f"embd{i}", nn.Linear(dimension, self.depth))
        for i in range(heads):
            setattr(self, f"fc{i}", nn.Linear(2 * self.depth, self.depth))
        self.fc = nn.Linear(dimension, dimension)

    def forward(self, x, prototypes):
        outputs, weights = [], []
        for i in range(self.heads):
            embedding, mixing = getattr(self, f"embd{i}"), getattr(self, f"fc{i}")
            e_x, e_p = embedding(x), embedding(prototypes)
            w = (e_x @ e_p.T / self.depth**0.5).softmax(1)
            weights.append(w)
            outputs.append(functional.relu(mixing(torch.cat([w @ e_p, e_x], 1))))
        return functional.relu(x + self.fc(torch.cat(outputs, 1))), torch.stack(weights, 1)
