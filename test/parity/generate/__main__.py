"""Writes a folder of the form that test/fixtures/parity/README.md describes, with other numbers and other sizes.

    python3 test/parity/generate FOLDER [--seed N]
    FEATMATCH_PARITY=FOLDER npm run test:parity

The equations, the published computations and their parts are written out once more, with PyTorch, Pillow and
scikit-learn, from what the paper and its documented behaviour say; so the numbers do not come from the code that they
test. Networks compute in single precision: in double precision other rectifiers are on where an input is next to 0, and
the norm of a gradient changes by up to two thousandths. The seed decides inputs, parameters and sizes. Needs
python3-torch, python3-sklearn and python3-pil.
"""

import argparse
import os

import numpy as np
import torch

import backbones
import clusters
import features
import images
import schedule
import steps

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()

os.makedirs(options.folder, exist_ok=True)
torch.set_num_threads(os.cpu_count())
for part in (features, backbones, steps, images, schedule, clusters):
    part.generate(options.folder, np.random.default_rng([options.seed, ord(part.__name__[0])]))
