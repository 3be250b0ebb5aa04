"""Prints the least sums of squares of Holt-Winters on AirPassengers by SciPy, with R's start values (its HoltWinters): the classical
decomposition of the first two seasons and the line through its trend. SalesForecastTests.swift holds the numbers.
Run: python3 holt_winters.py   (needs numpy and scipy)
"""
import os, re
import numpy as np
from scipy.optimize import minimize

here = os.path.dirname(os.path.abspath(__file__))
source = open(os.path.join(here, "../ModelsTests/SalesForecastTests.swift")).read()
y = np.array(re.search(r"airPassengers: \[Double\] = \[(.*?)\]", source, re.S).group(1).replace("\n", " ").strip(" ,").split(","), float)
m = 12


def start(multiplicative):
    x = y[:2 * m]
    trend = np.convolve(x, np.r_[.5, np.ones(m - 1), .5] / m, "valid")  # the first stands at m / 2
    season = np.zeros(m)
    for phase in range(m):
        seen = [t for t in range(phase, 2 * m, m) if 0 <= t - m // 2 < len(trend)]
        season[phase] = np.mean([x[t] / trend[t - m // 2] if multiplicative else x[t] - trend[t - m // 2] for t in seen])
    slope, level = np.polyfit(np.arange(1, len(trend) + 1), trend, 1)
    return level, slope, season / season.mean() if multiplicative else season - season.mean()


def run(p, multiplicative):
    level, slope, season = start(multiplicative)
    season, lost = list(season), 0.0
    for t in range(m, len(y)):
        s = season[t - m]
        error = y[t] - ((level + slope) * s if multiplicative else level + slope + s)
        lost += error * error
        new = p[0] * (y[t] / s if multiplicative else y[t] - s) + (1 - p[0]) * (level + slope)
        slope = p[1] * (new - level) + (1 - p[1]) * slope
        season.append(p[2] * (y[t] / new if multiplicative else y[t] - new) + (1 - p[2]) * s)
        level = new
    return lost, level, slope


for multiplicative in (True, False):
    best = minimize(lambda p: run(p, multiplicative)[0], (.3, .1, .1), method="L-BFGS-B", bounds=[(0, 1)] * 3)
    best = minimize(lambda p: run(p, multiplicative)[0], best.x, method="L-BFGS-B", bounds=[(0, 1)] * 3, options=dict(ftol=1e-15, gtol=1e-9))
    print("multiplicative" if multiplicative else "additive", best.x, *run(best.x, multiplicative))
