"""FeatMatch as its published code computes it (Kuo et al. 2020), written anew from its description, for the PyTorch sides."""
from contextlib import nullcontext

import torch
import torch.nn.functional as functional
from torch import nn

HEADS, TEMPERATURE, MIXUP, CON, GRAPH = 4, 0.75, 0.75, 0.5, 2.0


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
    def __init__(self, encoder, features, classes):
        super().__init__()
        self.encoder = encoder
        self.augmentation = FeatureAugmentation(features)
        self.classifier = nn.Linear(features, classes)

    def forward(self, images, prototypes):
        """Features, and class scores of plain and of augmented ones; without prototypes both are the same."""
        f = self.encoder(images)
        plain = self.classifier(f)
        return f, plain, plain if prototypes is None else self.classifier(self.augmentation(f, prototypes))


def cross_entropy(logits, targets):
    return -(targets * functional.log_softmax(logits, 1)).sum(1).mean()


def step_loss(network, images, labels, unlabeled, prototypes, ramp=1.0, labels_without_gradients=False):
    """
    The loss of a step, and what the memory bank remembers: features and probabilities of the unlabeled weak views.

    images: views of the labeled images, one view of all after another, the weak one first; then of the unlabeled ones
    unlabeled: how many unlabeled images there are; prototypes: None in the first stage, which has no AugF
    labels_without_gradients: whether the first pass, which makes the labels, records none, unlike the published code
    """
    classes = network.classifier.out_features
    views = len(images) // (len(labels) + unlabeled)
    labeled_rows = len(labels) * views
    with torch.no_grad() if labels_without_gradients else nullcontext():
        f, _, logits_g = network(images, prototypes)
    weak = slice(labeled_rows, labeled_rows + unlabeled)
    p_weak = functional.softmax(logits_g.detach()[weak], 1)
    sharpened = p_weak ** (1 / TEMPERATURE)
    sharpened = sharpened / sharpened.sum(1, keepdim=True)
    one_hot = functional.one_hot(labels, classes).float()
    targets = torch.cat([one_hot.repeat(views, 1), sharpened.repeat(views, 1)])

    share = torch.distributions.Beta(MIXUP, MIXUP).sample().item()
    share = max(share, 1 - share)
    order = torch.randperm(len(images))
    mixed = share * images + (1 - share) * images[order]
    targets = share * targets + (1 - share) * targets[order]
    targets = targets / targets.sum(1, keepdim=True)
    _, logits_f, logits_g = network(mixed, prototypes)
    loss = cross_entropy(logits_g[:labeled_rows], targets[:labeled_rows])
    loss = loss + ramp * CON * cross_entropy(logits_g[labeled_rows:], targets[labeled_rows:])
    if prototypes is not None:
        loss = loss + ramp * GRAPH * cross_entropy(logits_f[labeled_rows:], targets[labeled_rows:])
    return loss, f.detach()[weak], p_weak
