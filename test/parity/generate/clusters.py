"""kmeans.* and prototypes*.safetensors, by scikit-learn."""

import numpy as np
from sklearn.cluster import KMeans

from files import write_json, write_safetensors


def generate(folder, rng):
    kmeans(folder, rng)
    prototypes(folder, rng)


def directions(features):
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def kmeans(folder, rng):
    dimension, clusters = int(rng.integers(8, 48)), int(rng.integers(4, 13))
    centers = np.abs(rng.standard_normal((clusters, dimension)))
    rows = centers[rng.integers(0, len(centers), int(rng.integers(500, 1500)))]
    features = np.abs(rows + 0.3 * rng.standard_normal(rows.shape)).astype(np.float32)
    unit = directions(features.astype(np.float64))
    few, many = (KMeans(clusters, n_init=n, random_state=0).fit(unit).inertia_ for n in (10, 60))
    best = min(few, many)
    write_json(folder, "kmeans.json", {"k": clusters, "sklearn_n_init10_inertia": few, "best_known_inertia": best})
    write_safetensors(folder, "kmeans.safetensors", {"features": features})


def mean_and_centers(features, count):
    if len(features) <= count:
        return features
    unit = directions(features.astype(np.float64))
    found = KMeans(count - 1, n_init=100, random_state=0).fit(unit).labels_
    return np.stack([features.mean(0), *(features[found == i].mean(0) for i in range(count - 1))])


def prototypes(folder, rng):
    """Groups of subgroups of features: separable for as many clusters as one asks for with and without a bank."""
    # The first threshold, ½, leaves enough of every class in some folders; in others it takes a quarter.
    enough_at_once = bool(rng.integers(0, 2))
    classes, dimension = int(rng.integers(3, 6)) if enough_at_once else 5, int(rng.integers(10, 32))
    share = int(rng.integers(3, 7))  # from labeled features, and as many from the bank
    wanted = 2 * share
    centers = {}
    for c in range(classes):
        groups = 4 * rng.standard_normal((share - 1, dimension))
        centers[c] = [groups[i % (share - 1)] + 0.4 * rng.standard_normal(dimension) for i in range(wanted - 1)]

    def around(label, rows):
        return np.stack([centers[label][row % (wanted - 1)] for row in range(rows)]) + 0.01 * rng.standard_normal(
            (rows, dimension)
        )

    few = int(rng.integers(0, classes))  # this class has fewer labeled features than prototypes from them
    counts = [share - 1 if c == few else wanted + int(rng.integers(1, 5)) for c in range(classes)]
    labels = np.repeat(np.arange(classes), counts)
    labeled = np.concatenate([around(c, n) for c, n in enumerate(counts)]).astype(np.float32)

    bank, probabilities = [], []
    for c in range(classes):
        for row, feature in enumerate(around(c, 3 * wanted)):
            is_doubtful = not enough_at_once and c == 0 and row >= wanted
            confidence = rng.uniform(0.3, 0.49) if is_doubtful else rng.uniform(0.55, 0.95)
            others = rng.dirichlet(np.full(classes - 1, 50.0)) * (1 - confidence)
            bank.append(feature)
            probabilities.append(np.insert(others, c, confidence))
    for _ in range(2 * wanted):  # far off, and too doubtful to count
        bank.append(20 * rng.standard_normal(dimension))
        probabilities.append(np.full(classes, 1 / classes) + 1e-4 * np.eye(classes)[rng.integers(0, classes)])
    order = rng.permutation(len(bank))
    bank = np.stack(bank)[order].astype(np.float32)
    probabilities = np.stack(probabilities)[order].astype(np.float32)

    pseudo, confidence, threshold = probabilities.argmax(1), probabilities.max(1), 0.5
    for _ in range(6):
        chosen = [np.flatnonzero((pseudo == c) & (confidence > threshold)) for c in range(classes)]
        if all(len(rows) > wanted for rows in chosen):
            break
        threshold /= 2
    else:
        raise RuntimeError("no threshold leaves enough of every class")
    rows = {"prototypes": [], "prototype_class": [], "prototype_is_labeled": []}
    alone = {"prototypes": [], "prototype_class": []}

    def add(to, centers, label):
        to["prototypes"].append(centers)
        to["prototype_class"] += [label] * len(centers)

    for c in range(classes):
        own = labeled[labels == c]
        for part, is_labeled in ((own, True), (bank[chosen[c]], False)):
            made = mean_and_centers(part, share)
            add(rows, made, c)
            rows["prototype_is_labeled"] += [int(is_labeled)] * len(made)
        add(alone, mean_and_centers(own, wanted), c)
    for part in (rows, alone):
        part["prototypes"] = np.concatenate(part["prototypes"])
    given = {"labeled_features": labeled, "labels": labels}
    given.update({"unlabeled_features": bank, "unlabeled_probabilities": probabilities})
    write_safetensors(folder, "prototypes.safetensors", {**given, **rows})
    write_safetensors(folder, "prototypes_labeled_only.safetensors", alone)
