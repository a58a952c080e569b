"""
The PyTorch sides of step.mjs: the step of FeatMatch's published code.

Usage: python3 step.py as-published|tuned <threads>
"""
import json
import resource
import statistics
import sys
import time

import torch
from backbones import wide_resnet
from featmatch import Network, step_loss

LABELED, UNLABELED, VIEWS, WARM_UP, STEPS, CLASSES, PROTOTYPES = 8, 16, 9, 2, 5, 10, 200
is_tuned = sys.argv[1] == "tuned"
layout = torch.channels_last if is_tuned else torch.contiguous_format
torch.set_num_threads(int(sys.argv[2]))  # Debian's starts with one
torch.manual_seed(0)

network = Network(wide_resnet(momentum=0.001, is_published=True), 128, CLASSES).to(memory_format=layout)
optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.95, nesterov=True, weight_decay=2e-4)
prototypes = torch.randn(PROTOTYPES, 128).relu()
bank = []
rows = (LABELED + UNLABELED) * VIEWS


def step():
    images = torch.randn(rows, 3, 32, 32).to(memory_format=layout)
    labels = torch.arange(LABELED) % CLASSES
    loss, *remembered = step_loss(
        network, images, labels, UNLABELED, prototypes, labels_without_gradients=is_tuned
    )
    bank.append(remembered)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.item()


seconds = []
for number in range(WARM_UP + STEPS):
    started = time.perf_counter()
    step()
    if number >= WARM_UP:
        seconds.append(time.perf_counter() - started)
peak_megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
print(json.dumps({"imagesPerSecond": rows / statistics.median(seconds), "peakMegabytes": peak_megabytes}))
