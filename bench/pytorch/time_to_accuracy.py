"""
The PyTorch side of time-to-accuracy.mjs: FeatMatch's published training, with Pillow's views and scikit-learn's K-means.

Usage: python3 time_to_accuracy.py <settings, a JSON file> <results, a JSON file>
"""
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

import numpy
import torch
import torch.nn.functional as functional
from backbones import wide_resnet
from featmatch import Network, step_loss
from PIL import Image
from sklearn.cluster import KMeans

sys.path.append(str(Path(__file__).parent.parent / "pillow"))
from rand_augment import OPERATIONS, strong_view  # noqa: E402

settings = json.loads(Path(sys.argv[1]).read_text())
SIDE, CLASSES, FEATURES = 28, 10, 128
MOMENTUM, WEIGHT_DECAY, PROTOTYPES, MOST_CONFIDENT = 0.95, 2e-4, 20, 0.5
VIEWS = settings["strongViews"] + 1
ROWS = [row for name, row in OPERATIONS.items() if name != "mirror"]  # a mirrored digit is none


def read(name):
    return numpy.fromfile(Path(settings["data"]) / name, numpy.uint8)


train_images, test_images = (read(name).reshape(-1, SIDE, SIDE) for name in ("train-images", "test-images"))
train_labels, test_labels = read("train-labels"), read("test-labels")
labeled = numpy.array(settings["labeled"])
unlabeled = numpy.setdiff1d(numpy.arange(len(train_images)), labeled)
mean, deviation = train_images.mean() / 255, train_images.std() / 255


def weak_view(image, random):
    padding = settings["cropPadding"]
    top, left = random.integers(0, 2 * padding + 1, 2)
    return numpy.pad(image, padding)[top : top + SIDE, left : left + SIDE]


def drawn(indices, random):
    """One permutation after another, without end."""
    while True:
        yield from random.permutation(indices)


class Batches(torch.utils.data.IterableDataset):
    """Views of the labeled images, one view of all after another, the weak one first; then of the unlabeled ones."""

    def __iter__(self):
        random = numpy.random.default_rng(settings["seed"])
        streams = [
            (drawn(labeled, random), settings["batch"]["labeled"]),
            (drawn(unlabeled, random), settings["batch"]["unlabeled"]),
        ]
        while True:
            views, indices = [], []
            for stream, count in streams:
                chosen = [next(stream) for _ in range(count)]
                indices += chosen
                views += [weak_view(train_images[index], random) for index in chosen]
                for _ in range(VIEWS - 1):
                    views += [strong_view(Image.fromarray(train_images[index]), ROWS) for index in chosen]
            yield numpy.stack(views), train_labels[indices[: settings["batch"]["labeled"]]]


def to_tensor(pixels):
    return (torch.as_tensor(pixels).float().div(255) - mean).div(deviation).unsqueeze(1)


def mean_and_centers(features, count):
    """The mean and the centers of K-means on features of length 1, each the mean of its members as they are."""
    if len(features) <= count:
        return features
    members = KMeans(count - 1, n_init=10).fit_predict(functional.normalize(features).numpy())
    centers = [features[torch.from_numpy(members == cluster)].mean(0) for cluster in range(count - 1)]
    return torch.stack([features.mean(0), *centers])


def extract(network, bank):
    """Prototypes of each class from the labeled images and from what was remembered."""
    network.eval()
    with torch.no_grad():
        known = network.encoder(to_tensor(train_images[labeled]))
    network.train()
    known_labels = torch.from_numpy(train_labels[labeled].astype(numpy.int64))
    rows = None
    if bank:
        features, probabilities = (torch.cat(part) for part in zip(*bank))
        confidence, guess = probabilities.max(1)
        for halving in range(6):
            confident = confidence > MOST_CONFIDENT / 2**halving
            rows = [confident & (guess == label) for label in range(CLASSES)]
            if all(row.sum() > PROTOTYPES for row in rows):
                break
        else:
            rows = None
    parts = []
    for label in range(CLASSES):
        parts.append(mean_and_centers(known[known_labels == label], PROTOTYPES // (1 if rows is None else 2)))
        if rows is not None:
            parts.append(mean_and_centers(features[rows[label]], PROTOTYPES // 2))
    return torch.cat(parts)


def test_accuracy(network, prototypes):
    network.eval()
    with torch.no_grad():
        guesses = [
            network(to_tensor(test_images[start : start + 500]), prototypes)[2].argmax(1)
            for start in range(0, len(test_images), 500)
        ]
    network.train()
    return (torch.cat(guesses).numpy() == test_labels).mean().item()


def learning_rate(step):
    """In straight lines from 1/100 of the greatest to 1/10, to all of it, to 1/10, to 1/10,000."""
    pretrain, cycle, end = (settings["cycle"][key] for key in ("pretrainSteps", "cycleSteps", "endSteps"))
    ends = numpy.cumsum([0, pretrain, cycle, cycle, end])
    return settings["learningRate"] * numpy.interp(step, ends, [1 / 100, 1 / 10, 1, 1 / 10, 1 / 10_000])


def processor_seconds():
    """Of this process and of those that make views."""
    ticks = os.sysconf("SC_CLK_TCK")
    children = [Path(f"/proc/{child.pid}/stat").read_text().rsplit(")")[1].split() for child in multiprocessing.active_children()]
    return time.process_time() + sum(int(stat[11]) + int(stat[12]) for stat in children) / ticks


def main():
    torch.set_num_threads(settings["threads"])  # Debian's starts with one
    torch.manual_seed(settings["seed"])
    encoder = wide_resnet(channels=1, depth=10, strides=(2, 2, 2), is_published=True)
    network = Network(encoder, FEATURES, CLASSES)
    for layer in encoder.modules():  # the same as ours: with small weights batch normalization makes large steps of small ones
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    torch.nn.init.xavier_normal_(network.classifier.weight)
    torch.nn.init.zeros_(network.classifier.bias)
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=MOMENTUM, nesterov=True, weight_decay=WEIGHT_DECAY)
    batches = iter(torch.utils.data.DataLoader(Batches(), batch_size=None, num_workers=settings["workers"]))
    prototypes, bank, points = None, [], []
    seconds = cpu_seconds = 0
    for step in range(settings["steps"]):
        started, cpu_started = time.perf_counter(), processor_seconds()
        since = step - settings["pretrainSteps"]
        if since >= 0 and since % settings["extractEvery"] == 0:
            prototypes, bank = extract(network, bank), []
        views, labels = next(batches)
        optimizer.param_groups[0]["lr"] = learning_rate(step)
        ramp = min(1, step / settings["rampSteps"])
        unlabeled_count = settings["batch"]["unlabeled"]
        loss, *remembered = step_loss(network, to_tensor(views), torch.as_tensor(labels).long(), unlabeled_count, prototypes, ramp)
        if since >= 0:
            bank.append(remembered)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss.item()
        seconds += time.perf_counter() - started
        cpu_seconds += processor_seconds() - cpu_started
        if (step + 1) % settings["evaluateEvery"] == 0:
            accuracy = test_accuracy(network, prototypes)
            points.append({"step": step + 1, "seconds": seconds, "cpuSeconds": cpu_seconds, "accuracy": accuracy})
            print(json.dumps(points[-1]), file=sys.stderr, flush=True)
            if accuracy >= settings["enough"] or cpu_seconds >= settings["mostCpuSeconds"]:
                break
    Path(sys.argv[2]).write_text(json.dumps(points))


main()
