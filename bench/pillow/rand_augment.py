"""RandAugment as FeatMatch's published code has it, with Pillow."""
import math
import random

import numpy
from PIL import Image, ImageEnhance, ImageOps

# The published code transposes the image before and after an affine operation; swapping rows and columns of the map
# instead gives the same picture and spares Pillow the work.


def affine(image, matrix, shift=(0, 0)):
    """Rows of `matrix`: where the input row and column come from, about the centre; then `shift`."""
    (row_by_row, row_by_column), (column_by_row, column_by_column) = matrix
    row, column = image.height / 2 + 0.5, image.width / 2 + 0.5
    row_offset = row + shift[0] - row_by_row * row - row_by_column * column
    column_offset = column + shift[1] - column_by_row * row - column_by_column * column
    to_input = (column_by_column, column_by_row, column_offset, row_by_column, row_by_row, row_offset)
    return image.transform(image.size, Image.Transform.AFFINE, to_input, Image.Resampling.BICUBIC)


def rotate(image, degrees):
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return affine(image, ((cosine, -sine), (sine, cosine)))


IDENTITY = ((1, 0), (0, 1))

# name: (function, range of the parameter or None, signed)
OPERATIONS = {
    "shearX": (lambda image, v: affine(image, ((1, v), (0, 1))), (0, 0.3), True),
    "shearY": (lambda image, v: affine(image, ((1, 0), (v, 1))), (0, 0.3), True),
    "translateX": (lambda image, v: affine(image, IDENTITY, (0, image.width * v)), (0, 150 / 331), True),
    "translateY": (lambda image, v: affine(image, IDENTITY, (image.height * v, 0)), (0, 150 / 331), True),
    "rotate": (rotate, (0, 30), True),
    "mirror": (lambda image, _: ImageOps.mirror(image), None, False),
    "identity": (lambda image, _: image, None, False),
    "autoContrast": (lambda image, _: ImageOps.autocontrast(image), None, False),
    "equalize": (lambda image, _: ImageOps.equalize(image), None, False),
    "invert": (lambda image, _: ImageOps.invert(image), None, False),
    "solarize": (lambda image, v: ImageOps.solarize(image, v), (0, 256), False),
    "posterize": (lambda image, v: ImageOps.posterize(image, round(v)), (4, 8), False),
    "contrast": (lambda image, v: ImageEnhance.Contrast(image).enhance(v), (0.1, 1.9), False),
    "color": (lambda image, v: ImageEnhance.Color(image).enhance(v), (0.1, 1.9), False),
    "brightness": (lambda image, v: ImageEnhance.Brightness(image).enhance(v), (0.1, 1.9), False),
    "sharpness": (lambda image, v: ImageEnhance.Sharpness(image).enhance(v), (0.1, 1.9), False),
}
ROWS = list(OPERATIONS.values())


def draw_parameter(bounds, signed):
    if bounds is None:
        return 0
    low, high = bounds
    value = low + (high - low) * (random.randrange(10) + random.random()) / 10
    return -value if signed and random.random() < 0.5 else value


def strong_view(image, rows=ROWS):
    """Two operations drawn with replacement, at magnitudes 0 to 9, then the pixels as an array."""
    for _ in range(2):
        operation, bounds, signed = random.choice(rows)
        image = operation(image, draw_parameter(bounds, signed))
    return numpy.asarray(image)
