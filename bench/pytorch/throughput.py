"""
The PyTorch sides of throughput.mjs: training a network, or its convolutions alone.

Usage: python3 throughput.py training|convolutions <name of the network> <batch> <side> <threads>
"""
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as functional
from backbones import BACKBONES
from torch import nn

WARM_UP, STEPS, CLASSES, REPETITIONS = 3, 7, 10, 4
task, name = sys.argv[1:3]
batch, side, threads = map(int, sys.argv[3:])
torch.set_num_threads(threads)  # Debian's starts with one
torch.manual_seed(0)
build, features = BACKBONES[name]
network = nn.Sequential(build(), nn.Linear(features, CLASSES)).to(memory_format=torch.channels_last)
images = torch.randn(batch, 3, side, side).to(memory_format=torch.channels_last)


def median_step():
    """Seconds of a training step: forward, backward, SGD."""
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
    labels = torch.arange(batch) % CLASSES
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
    return statistics.median(seconds)


def convolutions():
    """Each convolution of the network with the map that it sees."""
    seen = []
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, _: seen.append((layer, inputs[0])))
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    with torch.no_grad():
        network(images)
    for hook in hooks:
        hook.remove()
    return seen


def best_seconds(layer, shape, needs_input_gradient, layout):
    """The least seconds of one convolution, forward and backward."""
    x = torch.randn(shape).to(memory_format=layout).requires_grad_(needs_input_gradient)
    weight = layer.weight.detach().to(memory_format=layout).requires_grad_()
    best = float("inf")
    for repetition in range(1 + REPETITIONS):
        started = time.perf_counter()
        y = functional.conv2d(x, weight, None, layer.stride, layer.padding)
        elapsed = time.perf_counter() - started
        dy = torch.ones_like(y)
        started = time.perf_counter()
        torch.autograd.grad(y, [x, weight] if needs_input_gradient else [weight], dy)
        elapsed += time.perf_counter() - started
        if repetition > 0:  # the first one makes memory and kernels
            best = min(best, elapsed)
    return best


def sum_of_bests():
    """Each convolution at its best, in the better layout; equal ones are measured once."""
    known = {}
    total = 0
    for layer, x in convolutions():
        is_first = x.shape[1] == 3
        key = (x.shape, layer.weight.shape, layer.stride)
        if key not in known:
            known[key] = min(
                best_seconds(layer, x.shape, not is_first, layout)
                for layout in (torch.channels_last, torch.contiguous_format)
            )
        total += known[key]
    return total


print(json.dumps({"imagesPerSecond": batch / (median_step() if task == "training" else sum_of_bests())}))
