"""The PyTorch side of throughput.mjs. Usage: python3 throughput.py <threads>"""
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as functional
from torch import nn

BATCH, WARM_UP, STEPS, CLASSES = 64, 3, 10, 10
torch.set_num_threads(int(sys.argv[1]))  # Debian's starts with one
torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = None if inputs == outputs else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        activated = functional.relu(self.bn1(x), inplace=True)
        shortcut = x if self.shortcut is None else self.shortcut(activated)
        hidden = functional.relu(self.bn2(self.conv1(activated)), inplace=True)
        return self.conv2(hidden) + shortcut


def group(inputs, outputs, stride, blocks=4):
    layers = [Block(inputs, outputs, stride)] + [Block(outputs, outputs, 1) for _ in range(blocks - 1)]
    return nn.Sequential(*layers)


network = nn.Sequential(
    nn.Conv2d(3, 16, 3, 1, 1, bias=False),
    group(16, 32, 1),
    group(32, 64, 2),
    group(64, 128, 2),
    nn.BatchNorm2d(128),
    nn.ReLU(inplace=True),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(128, CLASSES),
).to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
images = torch.randn(BATCH, 3, 32, 32).to(memory_format=torch.channels_last)
labels = torch.arange(BATCH) % CLASSES

seconds = []
for step in range(WARM_UP + STEPS):
    started = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    loss = functional.cross_entropy(network(images), labels)
    loss.backward()
    optimizer.step()
    loss.item()
    if step >= WARM_UP:
        seconds.append(time.perf_counter() - started)
print(json.dumps({"imagesPerSecond": BATCH / statistics.median(seconds)}))
