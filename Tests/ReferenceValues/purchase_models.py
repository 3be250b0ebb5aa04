"""Writes purchase_models.json: Pareto/NBD, NBD, (M)BG/CNBD-k and BG/BB by mpmath at 50 digits, straight from their definitions.

Every number is an integral or a sum with positive terms over the latent rates or lifetimes, none the closed form that
a program would use. Histories and parameters are chosen at the edges: x to 100,000, t_x = T, T = 0, long gaps, s at and beside
1, shapes near 0 and large, alpha and beta in either order.
Run: python3 purchase_models.py   (needs mpmath; some minutes)
"""
import json, os
from mpmath import mp, mpf

mp.dps = 50

def integral(f, gap, scales):
    """Integral of f over (0, gap): in u = ln(1 + y/c) by tanh-sinh between marks that halve towards zero."""
    if gap == 0:
        return mpf(0)
    c = min(scales)
    top = mp.log1p(gap / c)
    marks = [top]
    while marks[-1] > mpf("1e-7"): marks.append(marks[-1] / 3)
    marks.append(mpf(0))
    mp.dps = 30
    value = mp.quad(lambda u: f(c * mp.expm1(u)) * c * mp.exp(u), marks[::-1], maxdegree=6)
    mp.dps = 50
    return value

# Pareto/NBD: r, alpha, s, beta
def pnbd_alive(p, x, tx, T):
    r, al, s, be = p
    if T == tx: return mpf(1)
    left = integral(lambda y: s * mp.exp(-(r + x) * mp.log1p(y / (al + tx)) - (s + 1) * mp.log1p(y / (be + tx))) / (be + tx), T - tx, (al + tx, be + tx))
    here = mp.exp(-(r + x) * mp.log1p((T - tx) / (al + tx)) - s * mp.log1p((T - tx) / (be + tx)))
    return here / (here + left)

def pnbd_living(p, x, T, h, d):
    r, al, s, be = p
    gone = lambda y: mp.exp(-s * mp.log1p(y / (be + T)))
    R, A = r + x, al + T
    disc = R / A * integral(lambda t: mp.exp(-d * t) * gone(t), h, (be + T, 1 / d, A))
    plain = R / A * integral(gone, h, (be + T, A))
    buys = integral(lambda y: R / A * mp.exp(-(R + 1) * mp.log1p(y / A)) * gone(y), h, (be + T, A))
    return plain, disc, buys

# (M)BG/CNBD-k: r, alpha, a, b
def passed(p, k, x, tx, T):
    r, al = p[0], p[1]
    return [mp.rf(r + k * x, j) / mp.factorial(j) * ((T - tx) / (al + T)) ** j for j in range(k)]

def cnbd_alive(p, k, o, x, tx, T):
    r, al, a, b = p
    if x == 0 and o == 0: return mpf(1)
    stages = mp.fsum(passed(p, k, x, tx, T))
    odds = a / (b + x - 1 + o) * mp.exp((r + k * x) * mp.log1p((T - tx) / (al + tx))) / stages
    return 1 / (1 + odds)

def cnbd_living(p, k, o, x, tx, T, h):
    r, al, a, b = p
    w = passed(p, k, x, tx, T)
    c, A = b + x + o, al + T
    z = h / (A + h)
    total = mpf(0)
    for j in range(k):
        R = r + k * x + j
        sub, staying, n = mpf(0), mpf(1), 1
        while True:
            term = staying * mp.betainc(k * n - j, R, 0, z, regularized=True)
            sub += term
            if term < mpf(10) ** -18 * sub * (1 - z ** k): break
            staying *= (c + n - 1) / (a + c + n - 1)
            n += 1
        total += w[j] * sub
    buys = mp.fsum(w[j] * mp.betainc(k - j, r + k * x + j, 0, z, regularized=True) for j in range(k)) / mp.fsum(w)
    return total / mp.fsum(w), buys

# BG/BB: alpha, beta, gamma, delta
def bgbb_alive(p, x, tx, n):
    al, be, ga, de = p
    f = lambda m, g: mp.beta(al + x, be + m - x) * mp.beta(ga + g, de + m)
    here = f(n, 0)
    return here / (here + mp.fsum(f(tx + i, 1) for i in range(n - tx)))

def bgbb_living(p, x, n, h, d):
    al, be, ga, de = p
    stay = lambda i: mp.beta(ga, de + n + i) / mp.beta(ga, de + n)
    rate = (al + x) / (al + be + n)
    none = lambda i: mp.beta(al + x, be + n - x + i) / mp.beta(al + x, be + n - x)
    plain = rate * mp.fsum(stay(i) for i in range(1, h + 1))
    disc = rate * mp.fsum(stay(i) * mp.exp(-d * i) for i in range(1, h + 1))
    buys = mp.fsum(stay(i) * (none(i - 1) - none(i)) for i in range(1, h + 1))
    return plain, disc, buys

rows = []
def put(model, p, k, x, tx, T, h, d, alive, plain, disc, buys):
    rows.append([model, [float(v) for v in p], k, float(x), float(tx), float(T), float(h), None if d is None else float(d),
                 float(alive), float(plain), None if disc is None else float(disc), float(buys)])

E = lambda *v: tuple(mpf(x) for x in v)
histories = [E(0, 0, 0), E(0, 0, 38.86), E(0, 0, 10000), E(2, 30.43, 38.86), E(7, 38.86, 38.86), E(254, 97.14, 97.29), E(1, 0, 0),
             E(5000, 500, 501), E(100000, 700, 700.01), E(100000, 730, 730)]
d = mpf(0.0027)
for p in [E(.55328, 10.57768, .60624, 11.66874), E(.5, 10, 1, 12), E(.5, 10, 1 + 1e-9, 12), E(.01, .5, 1e-6, 40), E(5, 300, 40, 2000),
          E(.5143, 2.8845, .2856, 14.1087), E(1, 50, .3, .01)]:
    for x, tx, T in histories:
        alive = pnbd_alive(p, x, tx, T)
        for h in E(1, 39, 10000):
            plain, disc, buys = pnbd_living(p, x, T, h, d)
            put("pareto-nbd", p, 1, x, tx, T, h, d, alive, plain, disc, buys)
    print("pareto-nbd", p[2], len(rows), flush=True)
for k, o in [(2, 0), (3, 1), (7, 0)]:
    for p in [E(.9, 3, .8, 3), E(.3, 20, 1, 1)]:
        for x, tx, T in [E(0, 0, 0), E(0, 0, 38.86), E(2, 30.43, 38.86), E(7, 38.86, 38.86), E(60, 97.14, 97.29), E(1, 0, 0)]:
            alive = cnbd_alive(p, k, o, x, tx, T)
            for h in E(1, 39):
                plain, buys = cnbd_living(p, k, o, x, tx, T, h)
                put("mbg-cnbd-k" if o else "bg-cnbd-k", p, k, x, tx, T, h, None, alive, plain, None, buys)
    print("cnbd", k, len(rows), flush=True)
for p in [E(1.204, .75, .657, 2.783), E(1, 1, 1, 1), E(.001, 1000, .01, 50)]:
    for x, tx, n in [(0, 0, 0), (0, 0, 6), (6, 6, 6), (1, 6, 6), (2, 4, 100), (900, 950, 1000)]:
        alive = bgbb_alive(p, x, tx, n)
        for h in (1, 5, 200):
            plain, disc, buys = bgbb_living(p, x, n, h, d)
            put("bg-bb", p, 1, x, tx, n, h, d, alive, plain, disc, buys)
    print("bg-bb", len(rows), flush=True)

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "purchase_models.json")
with open(path, "w") as out:
    out.write('{"source": "mpmath, 50 digits (integrals 30); purchase_models.py",\n')
    out.write(' "columns": ["model", "parameters", "k", "x", "t_x", "T", "h", "rate", "P(alive)", "purchases of a living customer in h", "the same, discounted", "P(a living customer buys in h)"],\n "rows": [\n')
    out.write(",\n".join(json.dumps(r) for r in rows))
    out.write("\n]}\n")
