"""schedule.json: the learning rate in four straight lines."""

import numpy as np

from files import write_json


def generate(folder, rng):
    schedules = []
    for _ in range(3):
        pretrain, cycle, end = (int(rng.integers(low, high)) for low, high in [(5, 2000), (20, 9000), (5, 3000)])
        greatest = round(float(rng.uniform(0.01, 0.5)), 3)
        ends = np.cumsum([0, pretrain, cycle, cycle, end])
        rates = greatest * np.array([1 / 100, 1 / 10, 1, 1 / 10, 1 / 10_000])
        at = sorted({0, 1, *ends[1:4].tolist(), *(ends[1:] - 1).tolist(), *rng.integers(0, ends[-1], 30).tolist()})
        points = [[step, float(np.interp(step, ends, rates))] for step in at]
        schedules.append(
            {"pretrain_iters": pretrain, "cycle_iters": cycle, "end_iters": end, "max_lr": greatest, "points": points}
        )
    write_json(folder, "schedule.json", schedules)
