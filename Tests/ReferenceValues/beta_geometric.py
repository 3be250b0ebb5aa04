"""Writes beta_geometric.json: BG/NBD and MBG/NBD by mpmath at 30 digits, straight from the integrals.

P(alive) and ln L from Fader, Hardie & Lee 2005; expected purchases as the mean over p ~ Beta(a, b+x+o) of
(1 - (1 + p h/(alpha+T))^-(r+x)) / p, integrated over logit p; discounted purchases as an outer integral.
Run: python3 beta_geometric.py   (needs mpmath; a minute)
"""
import json, os
from mpmath import mp, mpf

mp.dps = 30

def expectation(f, a, c, marks):
    """E f(p), p ~ Beta(a, c): equal steps over logit p, at two steps that must agree to 15 digits."""
    logb = mp.loggamma(a) + mp.loggamma(c) - mp.loggamma(a + c)
    def g(s):
        p = 1 / (1 + mp.exp(-s))
        return mp.exp(-a * mp.log1p(mp.exp(-s)) - c * mp.log1p(mp.exp(s)) - logb) * f(p)
    center = mp.log(a / c)
    spread = mp.sqrt(mp.psi(1, a) + mp.psi(1, c))
    step = min(mpf("0.2"), spread * mpf("0.4"))
    sums = []
    for offset in (mpf(0), mpf("0.5")):
        total = mpf(0)
        for sign in (1, -1):
            k = 0 if sign == 1 else 1
            while True:
                t = g(center + (sign * k + offset) * step)
                total += t
                if k > 5 and t < mpf(10) ** -22 * total and k * step > 2 * spread: break
                k += 1
        sums.append(total * step)
    assert abs(sums[0] / sums[1] - 1) < mpf(10) ** -15, (a, c, sums)
    return (sums[0] + sums[1]) / 2

def growth(rho, z):
    return lambda p: rho * z if p == 0 else -mp.expm1(-rho * mp.log1p(p * z)) / p

def purchases(par, o, x, T, h):
    r, al, a, b = par
    if h == 0:
        return mpf(0)
    z = mpf(h) / (al + T)
    return expectation(growth(r + x, z), a, b + x + o, [mp.log(1 / (z * (r + x)))])

def alive(par, o, x, tx, T):
    r, al, a, b = par
    if x == 0 and o == 0:
        return mpf(1)
    return 1 / (1 + a / (b + x - 1 + o) * ((al + T) / (al + tx)) ** (r + x))

def loglik(par, o, x, tx, T):
    r, al, a, b = par
    lg = mp.loggamma
    A = lg(r + x) - lg(r) + r * mp.log(al) + lg(a + b) + lg(b + x + o) - lg(b) - lg(a + b + x + o)
    s = (al + T) ** -(r + x)
    if x > 0 or o == 1:
        s += a / (b + x - 1 + o) * (al + tx) ** -(r + x)
    return A + mp.log(s)

def discounted(par, o, x, T, h, d):
    r, al, a, b = par
    th = al + T
    f = lambda t: mp.exp(-d * t) * (r + x) / th * expectation(lambda p: (1 + p * t / th) ** (-(r + x) - 1), a, b + x + o,
                                                             [mp.log(th / (t * (r + x)))] if t > 0 else [])
    mp.dps = 18
    tau = th / (r + x)
    u = mp.log1p(h / tau)
    value = mp.quad(lambda v: f(tau * mp.expm1(v)) * tau * mp.exp(v), mp.linspace(0, u, 4), method='gauss-legendre', maxdegree=3)
    mp.dps = 30
    return value

cdnow = (0.24259, 4.4136, 0.79292, 2.42591)
one = (0.24259, 4.4136, 1.0, 2.42591)
tiny = (0.6635, 63.2355, 0.1086, 2.4157)
ridge = (0.5, 5.0, 1.1e5, 6.7e5)
rows = []
for par in (cdnow, one, tiny, ridge):
    for o in ((0, 1) if par == cdnow else (0,)):
        for x, tx, T in [(0, 0, 0), (0, 0, 38.86), (2, 30.43, 38.86), (29, 38, 38.86), (7, 38.86, 38.86), (254, 97.14, 97.29), (1, 0, 0),
                         (5000, 500, 501), (100000, 700, 730), (100000, 730, 730), (100000, 0, 0)]:
            for h in (1, 39, 10000):
                exact = tuple(mpf(v) for v in par)
                e = purchases(exact, o, mpf(x), mpf(T), mpf(h))
                pa = alive(exact, o, mpf(x), mpf(tx), mpf(T))
                ll = loglik(exact, o, mpf(x), mpf(tx), mpf(T))
                rows.append([list(par), o, x, tx, T, h, float(pa), float(pa * e), float(e), float(ll)])
    print(par, len(rows), flush=True)
week = 0.0026877316565009   # ln(1.15)/52
discount = []
for par, x, tx, T, h, d in [(cdnow, 2, 30.43, 38.86, 39, week), (cdnow, 2, 30.43, 38.86, 520, week), (one, 10, 35, 38.86, 104, 0.05),
                            (tiny, 30, 600, 700, 365, 0.001), (cdnow, 5000, 500, 501, 180, 0.01), (cdnow, 0, 0, 0, 10000, 0.001)]:
    exact = tuple(mpf(v) for v in par)
    v = alive(exact, 0, mpf(x), mpf(tx), mpf(T)) * discounted(exact, 0, mpf(x), mpf(T), mpf(h), mpf(d))
    discount.append([list(par), x, tx, T, h, d, float(v)])
    print("discounted", discount[-1], flush=True)

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "beta_geometric.json")
with open(path, "w") as out:
    out.write('{"source": "mpmath, 30 digits; beta_geometric.py",\n')
    out.write(' "columns": ["r alpha a b", "o", "x", "t_x", "T", "h", "P(alive)", "E[Y(h)]", "E[Y(h)]/P(alive)", "log-likelihood"],\n "rows": [\n')
    out.write(",\n".join(json.dumps(r) for r in rows))
    out.write('\n],\n "discounted_columns": ["r alpha a b", "x", "t_x", "T", "horizon", "rate", "value"],\n "discounted": [\n')
    out.write(",\n".join(json.dumps(r) for r in discount))
    out.write("\n]}\n")
