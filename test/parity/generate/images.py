"""rand_augment.* by Pillow, and zca.safetensors."""

import math

import numpy as np
import PIL
from PIL import Image, ImageEnhance, ImageOps

from files import write_json, write_safetensors


def generate(folder, rng):
    rand_augment(folder, rng)
    zca(folder, rng)


def product(a, b):
    """Without fused multiplication and addition, as it may be in numpy's: a last bit decides at the image's border."""
    return (a[:, :, None] * b[None]).sum(1)


def affine(image, matrix_of):
    turned = image.transpose(Image.TRANSPOSE)
    width, height = turned.size
    to_center = np.array([[1, 0, width / 2 + 0.5], [0, 1, height / 2 + 0.5], [0, 0, 1]])
    from_center = np.array([[1, 0, -width / 2 - 0.5], [0, 1, -height / 2 - 0.5], [0, 0, 1]])
    matrix = product(product(to_center, np.array([*matrix_of(width, height), [0, 0, 1]], float)), from_center)
    moved = turned.transform(turned.size, Image.AFFINE, tuple(matrix[:2].flatten()), Image.BICUBIC)
    return moved.transpose(Image.TRANSPOSE)


def rotation(degrees):
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return lambda w, h: [[cosine, -sine, 0], [sine, cosine, 0]]


AFFINE = {
    "shear_x": lambda v: lambda w, h: [[1, v, 0], [0, 1, 0]],
    "shear_y": lambda v: lambda w, h: [[1, 0, 0], [v, 1, 0]],
    "translate_x": lambda v: lambda w, h: [[1, 0, 0], [0, 1, h * v]],
    "translate_y": lambda v: lambda w, h: [[1, 0, w * v], [0, 1, 0]],
    "rotate": rotation,
}
RANGES = {"shear_x": 0.3, "shear_y": 0.3, "translate_x": 150 / 331, "translate_y": 150 / 331, "rotate": 30}
OTHERS = {
    "solarize": (lambda image, v: ImageOps.solarize(image, v), 0, 256),
    "posterize": (lambda image, v: ImageOps.posterize(image, round(v)), 4, 8),
    "contrast": (lambda image, v: ImageEnhance.Contrast(image).enhance(v), 0.1, 1.9),
    "color": (lambda image, v: ImageEnhance.Color(image).enhance(v), 0.1, 1.9),
    "brightness": (lambda image, v: ImageEnhance.Brightness(image).enhance(v), 0.1, 1.9),
    "sharpness": (lambda image, v: ImageEnhance.Sharpness(image).enhance(v), 0.1, 1.9),
    "mirror": (lambda image, v: ImageOps.mirror(image), None, None),
    "auto_contrast": (lambda image, v: ImageOps.autocontrast(image), None, None),
    "equalize": (lambda image, v: ImageOps.equalize(image), None, None),
    "invert": (lambda image, v: ImageOps.invert(image), None, None),
}


def values_of(operation, rng):
    if operation in RANGES:
        greatest = RANGES[operation]
        return [0.0, greatest, -greatest, *rng.uniform(-greatest, greatest, 3).tolist()]
    _, low, high = OTHERS[operation]
    return [None] if low is None else [low, high, *rng.uniform(low, high, 3).tolist()]


def photo_like(rng, height, width, channels):
    """Smooth colors with edges and a little noise."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / rng.uniform(2, 9) + y / rng.uniform(2, 9)) for _ in range(channels)], -1)
    edges = 60 * (x > width * rng.uniform(0.2, 0.8))[..., None]
    return np.clip(100 + 70 * waves + edges + rng.normal(0, 4, waves.shape), 0, 255).astype(np.uint8)


def rand_augment(folder, rng):
    def side():
        return int(rng.integers(9, 45))

    height, width = side(), side()
    arrays = {
        "noise": rng.integers(0, 256, (height, width, 3), np.uint8),
        "photo": photo_like(rng, side(), side(), 3),
        "dark": rng.integers(10, 60, (side(), side(), 3), np.uint8),
        "plain": np.full((9, 9, 3), rng.integers(0, 256, 3), np.uint8),
        "gray": photo_like(rng, side(), side(), 1),
    }
    tensors = {f"input.{name}": array for name, array in arrays.items()}
    cases = []
    for operation in [*AFFINE, *OTHERS]:
        for number, value in enumerate(values_of(operation, rng)):
            for name, array in arrays.items():
                image = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
                if operation in AFFINE:
                    result = affine(image, AFFINE[operation](value))
                else:
                    result = OTHERS[operation][0](image, value)
                key = f"{operation}.{number}.{name}"
                cases.append({"key": key, "op": operation, "value": value, "image": name})
                tensors[key] = np.asarray(result).reshape(array.shape)
    write_json(folder, "rand_augment.json", {"pillow": PIL.__version__, "cases": cases})
    write_safetensors(folder, "rand_augment.safetensors", tensors)


def zca(folder, rng):
    channels = int(rng.choice([1, 3]))
    height, width = int(rng.integers(2, 6)), int(rng.integers(2, 6))
    dimension = channels * height * width
    count = int(rng.integers(6, 12)) * dimension
    mixing = rng.normal(0, 12, (dimension, dimension)) + 30 * np.eye(dimension)
    values = 128 + rng.standard_normal((count, dimension)) @ mixing
    pixels = np.clip(values, 0, 255).astype(np.uint8).reshape(count, height, width, channels)
    rows = pixels.transpose(0, 3, 1, 2).reshape(count, -1) / 255
    mean = rows.mean(0)
    centered = rows - mean
    u, s, _ = np.linalg.svd(centered.T @ centered / count)
    matrix = u @ np.diag(1 / (np.sqrt(s) + 1e-12)) @ u.T
    given = rng.uniform(0, 1, (7, dimension)).astype(np.float32)
    shape = (7, channels, height, width)
    tensors = {"images_u8_nhwc": pixels, "mean": mean, "matrix": matrix, "input_nchw": given.reshape(shape)}
    tensors["output_nchw"] = ((given - mean) @ matrix).reshape(shape)
    write_safetensors(folder, "zca.safetensors", tensors)
