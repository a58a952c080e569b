"""equations.* and augf.*: from features to refined features and losses."""

import torch
from torch.nn import functional

from files import described, fill, normal, parameter_fill, write_json, write_safetensors
from networks import Attention


def generate(folder, rng):
    equations(folder, rng)
    augmentation(folder, rng)


def equations(folder, rng):
    """Equations (1) to (7) with one head, as the paper has them."""
    classes, dimension, head = (int(rng.integers(low, high)) for low, high in [(2, 9), (8, 48), (4, 64)])
    labeled, unlabeled, count = (int(rng.integers(low, high)) for low, high in [(2, 7), (2, 9), (2, 30)])
    lambda_g, lambda_f = (round(float(rng.uniform(0.1, 3)), 2) for _ in range(2))
    parameters = {}
    for name, (outputs, inputs) in {
        "phi_e": (head, dimension),
        "phi_a": (head, 2 * head),
        "phi_r": (dimension, head),
        "clf": (classes, dimension),
    }.items():
        parameters[f"{name}.weight"] = normal(rng, outputs, inputs, scale=inputs**-0.5).requires_grad_()
        parameters[f"{name}.bias"] = normal(rng, outputs, scale=0.1).requires_grad_()
    given = {
        "features_labeled": normal(rng, labeled, dimension).abs(),
        "features_weak": normal(rng, unlabeled, dimension).abs(),
        "features_strong": normal(rng, unlabeled, dimension).abs(),
        "prototypes": normal(rng, count, dimension).abs(),
    }
    labels = torch.from_numpy(rng.integers(0, classes, labeled))

    def linear(name, x):
        return functional.linear(x, parameters[f"{name}.weight"], parameters[f"{name}.bias"])

    def augment(f_x):
        e_x, e_p = linear("phi_e", f_x), linear("phi_e", given["prototypes"])
        w = (e_x @ e_p.T).softmax(1)  # (1)
        f_a = functional.relu(linear("phi_a", torch.cat([e_x, w @ e_p], 1)))  # (2)
        return functional.relu(f_x + linear("phi_r", f_a)), f_a, w  # (3)

    def cross_entropy(target, logits):
        return -(target * logits.log_softmax(1)).sum(1).mean()

    g_weak, f_a_weak, attention_weak = augment(given["features_weak"])
    p_g = linear("clf", g_weak).softmax(1).detach()
    losses = {
        "con_g": cross_entropy(p_g, linear("clf", augment(given["features_strong"])[0])),  # (4)
        "con_f": cross_entropy(p_g, linear("clf", given["features_strong"])),  # (5)
        "clf": functional.cross_entropy(linear("clf", augment(given["features_labeled"])[0]), labels),  # (6)
    }
    total = losses["clf"] + lambda_g * losses["con_g"] + lambda_f * losses["con_f"]  # (7)
    total.backward()
    write_json(
        folder,
        "equations.json",
        {
            "concatenation": "[e_x, sum_i w_i e_p_i]",
            "lambda_g": lambda_g,
            "lambda_f": lambda_f,
            **{f"loss_{name}": loss.item() for name, loss in losses.items()},
            "loss_total": total.item(),
        },
    )
    tensors = {**parameters, **given, "labels": labels, "attention_weak": attention_weak}
    tensors.update({"f_a_weak": f_a_weak, "g_weak": g_weak, "pseudo_labels": p_g})
    tensors.update({f"grad.{name}": parameter.grad for name, parameter in parameters.items()})
    write_safetensors(folder, "equations.safetensors", tensors)


def augmentation(folder, rng):
    """The module with several heads as published."""
    descriptions, tensors = {}, {}
    for heads in rng.choice([1, 2, 3, 4, 5, 8], 3, replace=False).tolist():
        dimension = heads * int(rng.integers(3, 20))
        count_x, count_p = int(rng.integers(2, 9)), int(rng.integers(2, 60))
        name, seed = f"h{heads}_d{dimension}", int(rng.integers(1, 100_000))
        module = Attention(dimension, heads)
        named = fill({"": module}, seed)
        fx = normal(rng, count_x, dimension).abs().requires_grad_()
        prototypes = normal(rng, count_p, dimension).abs()
        loss_weights = normal(rng, count_x, dimension)
        g, w = module(fx, prototypes)
        (g * loss_weights).sum().backward()
        descriptions[name] = {
            "parameter_fill": parameter_fill(seed),
            "heads": heads,
            "fdim": dimension,
            "num_x": count_x,
            "num_prototypes": count_p,
            "parameters": described(named),
        }
        stored = {"fx": fx, "prototypes": prototypes, "loss_weights": loss_weights}
        stored.update({"g": g, "w": w, "grad_fx": fx.grad})
        tensors.update({f"{name}.{key}": value for key, value in stored.items()})
    write_json(folder, "augf.json", descriptions)
    write_safetensors(folder, "augf.safetensors", tensors)
