"""Writes special_functions.json: values of elementary and special functions by mpmath at 40 digits.

Run: python3 special_functions.py   (needs mpmath)
"""
import json, os
from mpmath import mp, mpf

mp.dps = 40
grid = [1e-300, 1e-12, 1e-5, 0.003, 0.1, 0.2426, 0.5, 0.7, 0.9, 0.99, 1.01, 1.3, 1.4616, 1.5, 1.9, 2.01, 2.5, 3.7, 7.99, 8.01,
        12.5, 50.25, 171.5, 1000.125, 1e5, 12345678.9, 1e12]
signed = [s * v for v in [1e-20, 1e-9, 1e-4, 0.01, 0.1, 0.2, 0.34, 0.35, 0.5, 0.6931, 1.0, 1.0397, 1.5, 2.2, 5.5, 20.1, 40.7, 100.3, 650.9]
          for s in (1, -1)]
rows = []

def row(name, arguments, value):
    rows.append([name, arguments, float(value)])

for x in signed + [709.5, -708.9, -720.5]:
    row("exp", [x], mp.exp(mpf(x)))
    row("expm1", [x], mp.expm1(mpf(x)))
for x in grid + [0.9999999, 1.0000001, 5e-324, 1e-310, 1.7e308]:
    row("log", [x], mp.log(mpf(x)))
for x in grid[1:] + [-v for v in [1e-14, 1e-5, 0.1, 0.29, 0.3, 0.5, 0.9, 0.999999]] + [0.41, 0.42]:
    row("log1p", [x], mp.log1p(mpf(x)))
for x, y in [(2, 10), (1.5, 700.3), (0.3, 250.7), (1.0000001, 1e9), (7.7, -200.25), (1e-300, 1.01), (0.999, 1e5), (1.1, 0.1), (3.3, 0.5),
             (10, -3), (1.01, 12.0), (5e-310, 0.7), (1.7, 1e-9), (123.456, 7.89), (1.0000000001, 5e9)]:
    row("pow", [x, y], mp.power(mpf(x), mpf(y)))
for x in grid:
    row("logGamma", [x], mp.loggamma(mpf(x)))
    if x > 1e-290:
        row("digamma", [x], mp.digamma(mpf(x)))
    if x > 1e-140:
        row("trigamma", [x], mp.psi(1, mpf(x)))
for a, b in [(0.1, 0.2), (0.79, 2.43), (3, 4), (0.5, 1e5), (1e-5, 12.0), (200.5, 300.25), (1e5, 2e5), (0.79, 1e9)]:
    a, b = mpf(a), mpf(b)
    row("logBeta", [float(a), float(b)], mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b))
for a, x in [(0.5, 0.1), (0.5, 3), (2.5, 1), (2.5, 9), (10, 10), (100, 80), (100, 130), (1000, 1010), (1e5, 99900), (0.01, 0.5), (12.5, 60)]:
    row("gammaP", [a, x], mp.gammainc(mpf(a), 0, mpf(x), regularized=True))
    row("gammaQ", [a, x], mp.gammainc(mpf(a), mpf(x), mp.inf, regularized=True))
for a, b, x in [(0.5, 0.5, 0.3), (2, 3, 0.1), (2, 3, 0.9), (0.243, 10, 0.02), (20, 0.243, 0.87), (100, 120, 0.45), (1000, 900, 0.5),
                (1, 0.243, 0.9), (5000, 3, 0.9995), (12, 20000, 0.0006)]:
    row("betaI", [x, a, b], mp.betainc(mpf(a), mpf(b), 0, mpf(x), regularized=True))
for x in [0, 1e-10, 0.1, 0.5, 0.99, 1.01, 1.5, 1.99, 2.01, 3.3, 5.9, -0.3, -1.4, -3]:
    row("erf", [x], mp.erf(mpf(x)))
    row("erfc", [x], mp.erfc(mpf(x)))
for x in [8.5, 15.25, 26.0]:
    row("erfc", [x], mp.erfc(mpf(x)))
for x in [-37, -8.3, -3, -1.2, -0.1, 0, 0.7, 2.5]:
    row("normalCdf", [x], mp.ncdf(mpf(x)))
for p in [1e-300, 1e-20, 1e-6, 0.01, 0.0242, 0.0243, 0.2, 0.5, 0.6, 0.975, 0.999999]:
    row("normalQuantile", [p], mp.sqrt(2) * mp.erfinv(2 * mpf(p) - 1) if p > 1e-9 else
        mp.findroot(lambda t: mp.log(mp.ncdf(t)) - mp.log(mpf(p)), -mp.sqrt(-2 * mp.log(mpf(p)))))

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "special_functions.json")
with open(path, "w") as out:
    out.write('{"source": "mpmath, 40 digits; special_functions.py", "rows": [\n')
    out.write(",\n".join(json.dumps(r) for r in rows))
    out.write("\n]}\n")
