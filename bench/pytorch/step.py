"""The PyTorch sides of step.mjs: the step of FeatMatch's published code, written anew from its description.

Usage: python3 step.py as-published|tuned <threads>
"""
import json
import resource
import statistics
import sys
import time
from contextlib import nullcontext

import torch
import torch.nn.functional as functional
from torch import nn
from wide_resnet import wide_resnet

LABELED, UNLABELED, STRONG, WARM_UP, STEPS, CLASSES, PROTOTYPES = 8, 16, 8, 2, 5, 10, 200
HEADS, TEMPERATURE, MIXUP, CON, GRAPH = 4, 0.75, 0.75, 0.5, 2.0
VIEWS = STRONG + 1
IS_TUNED = sys.argv[1] == "tuned"
LAYOUT = torch.channels_last if IS_TUNED else torch.contiguous_format
torch.set_num_threads(int(sys.argv[2]))  # Debian's starts with one
torch.manual_seed(0)


class FeatureAugmentation(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.width = features // HEADS
        self.embed = nn.ModuleList(nn.Linear(features, self.width) for _ in range(HEADS))
        self.combine = nn.ModuleList(nn.Linear(2 * self.width, self.width) for _ in range(HEADS))
        self.output = nn.Linear(features, features)

    def forward(self, x, prototypes):
        heads = []
        for embed, combine in zip(self.embed, self.combine):
            e_x, e_p = embed(x), embed(prototypes)
            weights = functional.softmax(e_x @ e_p.T / self.width**0.5, 1)
            weights = functional.dropout(weights, 0.1, self.training)
            heads.append(functional.relu(combine(torch.cat([weights @ e_p, e_x], 1))))
        return functional.relu(x + self.output(torch.cat(heads, 1)))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = wide_resnet(momentum=0.001, is_published=True)
        self.augmentation = FeatureAugmentation(128)
        self.classifier = nn.Linear(128, CLASSES)

    def forward(self, images, prototypes):
        f = self.encoder(images)
        return f, self.classifier(f), self.classifier(self.augmentation(f, prototypes))


def cross_entropy(logits, targets):
    return -(targets * functional.log_softmax(logits, 1)).sum(1).mean()


network = Network().to(memory_format=LAYOUT)
optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.95, nesterov=True, weight_decay=2e-4)
prototypes = torch.randn(PROTOTYPES, 128).relu()
bank = []
rows = (LABELED + UNLABELED) * VIEWS
labeled_rows = LABELED * VIEWS


def step():
    images = torch.randn(rows, 3, 32, 32).to(memory_format=LAYOUT)
    labels = torch.arange(LABELED) % CLASSES
    with torch.no_grad() if IS_TUNED else nullcontext():
        f, _, logits_g = network(images, prototypes)
    p = functional.softmax(logits_g.detach(), 1)
    p_weak = p[labeled_rows : labeled_rows + UNLABELED]
    bank.append((f.detach()[labeled_rows : labeled_rows + UNLABELED], p_weak))
    sharpened = p_weak ** (1 / TEMPERATURE)
    sharpened = sharpened / sharpened.sum(1, keepdim=True)
    one_hot = functional.one_hot(labels, CLASSES).float()
    targets = torch.cat([one_hot.repeat(VIEWS, 1), sharpened.repeat(VIEWS, 1)])

    share = torch.distributions.Beta(MIXUP, MIXUP).sample().item()
    share = max(share, 1 - share)
    order = torch.randperm(rows)
    mixed = share * images + (1 - share) * images[order]
    targets = share * targets + (1 - share) * targets[order]
    targets = targets / targets.sum(1, keepdim=True)
    _, logits_f, logits_g = network(mixed, prototypes)
    loss = cross_entropy(logits_g[:labeled_rows], targets[:labeled_rows])
    loss = loss + CON * cross_entropy(logits_g[labeled_rows:], targets[labeled_rows:])
    loss = loss + GRAPH * cross_entropy(logits_f[labeled_rows:], targets[labeled_rows:])
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
