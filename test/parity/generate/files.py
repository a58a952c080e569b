"""The files of the folder, and the parameters that are in none of them."""

import json
import os
import struct

import numpy as np
import torch

NAMES = {"float32": "F32", "int64": "I64", "uint8": "U8"}


def write_json(folder, name, value):
    with open(os.path.join(folder, name), "w") as file:
        json.dump(value, file)


def write_safetensors(folder, name, tensors):
    """Floating-point numbers become float32."""
    header, parts, position = {}, [], 0
    for key, value in tensors.items():
        array = value.detach().numpy() if torch.is_tensor(value) else np.asarray(value)
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
        data = np.ascontiguousarray(array).tobytes()
        header[key] = {
            "dtype": NAMES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [position, position + len(data)],
        }
        parts.append(data)
        position += len(data)
    text = json.dumps(header).encode()
    with open(os.path.join(folder, name), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def normal(rng, *shape, scale=1.0):
    return torch.from_numpy((scale * rng.standard_normal(shape)).astype(np.float32))


def mulberry32(seed, count):
    """The first numbers of the generator, in [0, 1)."""
    state = np.uint32(seed & 0xFFFFFFFF) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
    mixed = (state ^ (state >> np.uint32(15))) * (np.uint32(1) | state)
    mixed = (mixed + (mixed ^ (mixed >> np.uint32(7))) * (np.uint32(61) | mixed)) ^ mixed
    return (mixed ^ (mixed >> np.uint32(14))) / 2.0**32


def fill(modules, base_seed):
    """Fills the parameters of a dict of modules by prefix; returns [(index, name, parameter)]."""
    named = [
        (prefix + name, parameter)
        for prefix, module in modules.items()
        for name, parameter in module.named_parameters()
    ]
    with torch.no_grad():
        for index, (name, parameter) in enumerate(named):
            if parameter.dim() == 1:
                low, high = (0.5, 1.5) if name.endswith("weight") else (-0.1, 0.1)
            else:
                high = (3 / np.prod(parameter.shape[1:])) ** 0.5
                low = -high
            numbers = low + (high - low) * mulberry32(base_seed + index, parameter.numel())
            parameter.copy_(torch.from_numpy(numbers.astype(np.float32)).view(parameter.shape))
            parameter.grad = None
    return [(index, name, parameter) for index, (name, parameter) in enumerate(named)]


def described(named, with_ramp=False):
    """What the JSON files say of each parameter after a backward pass."""
    rows = []
    for index, name, parameter in named:
        gradient = None if parameter.grad is None else parameter.grad.flatten()
        row = {"index": index, "name": name, "shape": list(parameter.shape)}
        row["grad_l2"] = None if gradient is None else gradient.double().norm().item()
        if with_ramp:
            ramp = None if gradient is None else torch.linspace(-1, 1, gradient.numel(), dtype=torch.float64)
            row["grad_ramp_dot"] = None if gradient is None else (gradient.double() @ ramp).item()
        rows.append(row)
    return rows


def parameter_fill(base_seed):
    return {"generator": "mulberry32", "base_seed": base_seed}
