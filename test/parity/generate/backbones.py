"""backbones.safetensors and backbone_*.json: features, gradients and running statistics of the encoders."""

from files import described, fill, normal, parameter_fill, write_json, write_safetensors
from networks import cnn13, resnet18, wide_resnet


def generate(folder, rng):
    channels = int(rng.choice([1, 3]))
    depth, width = int(rng.choice([10, 16, 22])), int(rng.integers(1, 4))
    side = int(rng.integers(20, 40))
    cases = {
        f"wresnet-{depth}-{width}": (wide_resnet(channels, depth, width), [3, channels, side, side + 4]),
        "wresnet-28-2": (wide_resnet(3, 28, 2), [2, 3, 32, 32]),
        "cnn-13": (cnn13(channels), [4, channels, 24, 28]),
        "resnet-18": (resnet18(channels), [6, channels, 96, 80]),
    }
    tensors = {}
    for name, (network, input_shape) in cases.items():
        seed = int(rng.integers(1, 100_000))
        named = fill({"": network}, seed)
        images = normal(rng, *input_shape)
        features = network(images)
        loss_weights = normal(rng, *features.shape)
        (features * loss_weights).sum().backward()
        write_json(
            folder,
            f"backbone_{name}.json",
            {
                "arch": name,
                "parameter_fill": parameter_fill(seed),
                "input_shape": input_shape,
                "feature_dim": features.shape[1],
                "num_parameters": sum(parameter.numel() for _, _, parameter in named),
                "parameters": described(named, with_ramp=True),
            },
        )
        stored = {"input": images, "loss_weights": loss_weights, "train_features": features}
        stored["eval_features"] = network.eval()(images)
        tensors.update({f"{name}.{key}": value for key, value in stored.items()})
    write_safetensors(folder, "backbones.safetensors", tensors)
