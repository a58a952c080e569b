"""The Pillow side of augmentation.mjs. Usage: python3 augmentation.py <file of RGB images> <side> <seconds>"""
import json
import random
import sys
import time

import numpy
from PIL import Image
from rand_augment import OPERATIONS, draw_parameter, strong_view


def one_operation(name):
    operation, bounds, signed = OPERATIONS[name]
    return lambda image: numpy.asarray(operation(image, draw_parameter(bounds, signed)))


def images_per_second(make_view, images, least):
    """By processor second, which other programs beside this one disturb less than the clock."""
    for image in images[:32]:
        make_view(image)
    views, started = 0, time.process_time()
    while True:
        for image in images:
            make_view(image)
        views += len(images)
        elapsed = time.process_time() - started
        if elapsed >= least:
            return views / elapsed


def main(path, side, seconds):
    random.seed(0)
    pixels = numpy.fromfile(path, numpy.uint8).reshape(-1, side, side, 3)
    images = [Image.fromarray(image) for image in pixels]
    result = {"two operations": images_per_second(strong_view, images, seconds)}
    for name in OPERATIONS:
        result[name] = images_per_second(one_operation(name), images, seconds / 8)
    print(json.dumps(result))


main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
