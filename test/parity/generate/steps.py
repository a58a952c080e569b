"""steps.*: the two kinds of training step of the published code, dropout off, λ and the permutation given."""

import torch
from torch import nn

from files import described, fill, normal, parameter_fill, write_json, write_safetensors
from networks import Attention, wide_resnet

TEMPERATURE = 0.75
WEIGHT_CON, WEIGHT_GRAPH = 0.5, 2.0


def generate(folder, rng):
    classes, views = int(rng.integers(2, 12)), int(rng.integers(2, 6))
    labeled, unlabeled = int(rng.integers(1, 6)), int(rng.integers(2, 7))
    channels, side, width = int(rng.choice([1, 3])), int(rng.integers(12, 28)), int(rng.integers(1, 3))
    depth, dimension = 10, 64 * width
    heads, count = int(rng.choice([1, 2, 4, 8])), int(rng.integers(5, 50))
    given = {
        "x_labeled": normal(rng, labeled, views, channels, side, side),
        "x_unlabeled": normal(rng, unlabeled, views, channels, side, side),
        "prototypes": normal(rng, count, dimension).abs(),
    }
    ramp = int(rng.integers(50, 5000))
    moments = [("train1", 0), ("train1", ramp // 3), ("train2", ramp // 2), ("train2", 3 * ramp)]
    rows = []
    for kind, step in moments:
        seed = int(rng.integers(1, 100_000))
        extractor, attention = wide_resnet(channels, depth, width), Attention(dimension, heads)
        classifier = nn.Linear(dimension, classes)
        named = fill({"fext.module.model.": extractor, "atten.": attention, "clf.": classifier}, seed)
        labels = torch.from_numpy(rng.integers(0, classes, labeled))
        permutation = torch.from_numpy(rng.permutation((labeled + unlabeled) * views))
        share = float(rng.uniform(0.5, 1))
        images = torch.cat([given["x_labeled"].flatten(0, 1), given["x_unlabeled"].flatten(0, 1)])

        def augment(f):
            return attention(f, given["prototypes"])[0] if kind == "train2" else f

        with torch.no_grad():  # the first pass: every (views)-th row is a weak view
            weak = extractor(images)[::views]
            p = classifier(augment(weak)).softmax(1)
            p_labeled, p_unlabeled = p[:labeled], p[labeled:]
            sharp = p_unlabeled ** (1 / TEMPERATURE)
            sharp = sharp / sharp.sum(1, keepdim=True)
            targets = torch.cat([nn.functional.one_hot(labels, classes).float(), sharp])
            targets = targets.repeat_interleave(views, 0)
            targets = share * targets + (1 - share) * targets[permutation]
            targets = targets / targets.sum(1, keepdim=True)
        mixed = share * images + (1 - share) * images[permutation]
        f = extractor(mixed)
        first = labeled * views

        def loss_of(logits, rows):
            return -(targets[rows] * logits.log_softmax(1)).sum(1).mean()

        g_logits = classifier(augment(f))
        of_labeled, of_unlabeled = slice(0, first), slice(first, None)
        loss_clf = loss_of(g_logits[of_labeled], of_labeled)
        loss_con = loss_of(g_logits[of_unlabeled], of_unlabeled)
        loss_graph = loss_of(classifier(f[of_unlabeled]), of_unlabeled) if kind == "train2" else torch.zeros(())
        coefficient = min(1, step / ramp)
        loss = loss_clf + coefficient * (WEIGHT_CON * loss_con + WEIGHT_GRAPH * loss_graph)
        loss.backward()
        rows.append(
            {
                "parameter_fill": parameter_fill(seed),
                "kind": kind,
                "iter": step,
                "coeff_rampup": ramp,
                "lambda": share,
                "permutation": permutation.tolist(),
                "labels": labels.tolist(),
                "loss": loss.item(),
                "loss_clf": loss_clf.item(),
                "loss_con_g": loss_con.item(),
                "loss_con_f": loss_graph.item(),
                "parameters": described(named),
                "pred_labeled": p_labeled.tolist(),
                "pseudo_label_probabilities_unsharpened": None if kind == "train1" else p_unlabeled.tolist(),
            }
        )
    write_json(folder, "steps.json", rows)
    write_safetensors(folder, "steps.safetensors", given)
