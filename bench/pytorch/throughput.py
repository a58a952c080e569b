"""The PyTorch side of throughput.mjs. Usage: python3 throughput.py <threads>"""
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as functional
from torch import nn
from wide_resnet import wide_resnet

BATCH, WARM_UP, STEPS, CLASSES = 64, 3, 10, 10
torch.set_num_threads(int(sys.argv[1]))  # Debian's starts with one
torch.manual_seed(0)

network = nn.Sequential(wide_resnet(), nn.Linear(128, CLASSES)).to(memory_format=torch.channels_last)
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
