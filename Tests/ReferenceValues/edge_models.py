"""Writes edge_models.json: every model where its formulas have poles or lose digits, by mpmath at 50 digits, from their definitions.

What purchase_models.py and beta_geometric.py leave out: (M)BG/NBD with a at and beside 1 and 2, shapes near 0 and large, discounted
values of both; NBD; sBG; Gamma-Gamma with q at and beside 1; regular buyers with many purchases; ln L of single histories of every model.
Run: python3 edge_models.py   (needs mpmath; some minutes)
"""
import json, os
from mpmath import mp, mpf

mp.dps = 50

def mean(f, f0, f1, a, c):
    """E f(p), p ~ Beta(a, c): a straight line between the ends exactly, the rest by equal steps over logit p."""
    logb = mp.loggamma(a) + mp.loggamma(c) - mp.loggamma(a + c)
    def g(s):
        p, q = 1 / (1 + mp.exp(-s)), 1 / (1 + mp.exp(s))
        return mp.exp(-a * mp.log1p(mp.exp(-s)) - c * mp.log1p(mp.exp(s)) - logb) * (f(p) - f0 * q - f1 * p)
    A, C = a + 1, c + 1
    center = mp.log(A / C)
    spread = mp.sqrt(mp.psi(1, A) + mp.psi(1, C))
    step = min(mpf("0.15"), spread * mpf("0.3"))
    line = (f0 * c + f1 * a) / (a + c)
    sums = []
    for offset in (mpf(0), mpf("0.5")):
        total = mpf(0)
        for sign in (1, -1):
            k = 0 if sign == 1 else 1
            while True:
                t = g(center + (sign * k + offset) * step)
                total += t
                if k * step > 3 * spread and abs(t) < mpf(10) ** -24 * (abs(total) + abs(line)): break
                k += 1
        sums.append(line + total * step)
    assert abs(sums[0] / sums[1] - 1) < mpf(10) ** -13, (a, c, sums)
    return (sums[0] + sums[1]) / 2

def bg_alive(p, o, x, tx, T):
    r, al, a, b = p
    if x == 0 and o == 0: return mpf(1)
    return 1 / (1 + a / (b + x - 1 + o) * mp.exp((r + x) * mp.log1p((T - tx) / (al + tx))))

def bg_purchases(p, o, x, T, h):
    r, al, a, b = p
    z, rho = h / (al + T), r + x
    f = lambda p: -mp.expm1(-rho * mp.log1p(p * z)) / p
    return mean(f, rho * z, f(mpf(1)), a, b + x + o)

def bg_discounted(p, o, x, T, h, d):
    """The integral over time is an incomplete gamma function of each dropout probability."""
    r, al, a, b = p
    th, rho = al + T, r + x
    def f(p):
        c = d * th / p
        return rho / p * mp.exp(c + rho * mp.log(c)) * mp.gammainc(-rho, c, c * (1 + p * h / th))
    return mean(f, rho / th * -mp.expm1(-d * h) / d, f(mpf(1)), a, b + x + o)

def buys(r, al, x, T, h):
    return -mp.expm1(-(r + x) * mp.log1p(h / (al + T)))

def rising(r, x):
    return mp.loggamma(r + x) - mp.loggamma(r)

def nbd_ll(r, al, x, T):
    return rising(r, x) + r * mp.log(al) - (r + x) * mp.log(al + T)

def bg_ll(p, o, x, tx, T):
    r, al, a, b = p
    A = rising(r, x) + r * mp.log(al) + mp.loggamma(a + b) + mp.loggamma(b + x + o) - mp.loggamma(b) - mp.loggamma(a + b + x + o)
    here = -(r + x) * mp.log(al + T)
    if x == 0 and o == 0: return A + here
    return A + here + mp.log1p(a / (b + x - 1 + o) * mp.exp((r + x) * mp.log1p((T - tx) / (al + tx))))

def pareto_ll(p, x, tx, T):
    r, al, s, be = p
    A = nbd_ll(r, al, x, T) + s * mp.log(be) - s * mp.log(be + T)
    if T == tx: return A
    c = min(al, be) + tx
    top = mp.log1p((T - tx) / c)
    marks = [top]
    while marks[-1] > mpf("1e-7"): marks.append(marks[-1] / 3)
    f = lambda y: mp.exp((r + x) * mp.log((al + T) / (al + y)) + s * mp.log((be + T) / (be + y))) / (be + y)
    mp.dps = 30
    left = s * mp.quad(lambda u: f(tx + c * mp.expm1(u)) * c * mp.exp(u), [mpf(0)] + marks[::-1], maxdegree=6)
    mp.dps = 50
    return A + mp.log1p(left)

def sbg_living(p, T, h, d):
    a, b = p[0], p[1] + T
    stay = lambda i: mp.exp(rising(b, i) - rising(a + b, i))
    return mp.fsum(stay(i) for i in range(1, h + 1)), mp.fsum(stay(i) * mp.exp(-d * i) for i in range(1, h + 1)), b / (a + b)

def sbg_ll(p, t, T):
    a, b = p
    stayed = rising(b, t) - rising(a + b, t)
    return stayed + (mp.log(a / (a + b + t)) if t < T else 0)

def bgbb_ll(p, x, tx, n):
    al, be, ga, de = p
    lb = lambda u, v: mp.loggamma(u) + mp.loggamma(v) - mp.loggamma(u + v)
    terms = [lb(al + x, be + n - x) + lb(ga, de + n)] + [lb(al + x, be + tx - x + i) + lb(ga + 1, de + tx + i) for i in range(n - tx)]
    top = max(terms)
    return top + mp.log(mp.fsum(mp.exp(t - top) for t in terms)) - lb(al, be) - lb(ga, de)

def cnbd_ll(p, k, o, x, tx, T):
    """Without what the times between purchases add."""
    r, al, a, b = p
    R = r + k * x
    A = rising(r, k * x) + r * mp.log(al) + mp.loggamma(a + b) + mp.loggamma(b + x + o) - mp.loggamma(b) - mp.loggamma(a + b + x + o)
    alive = mp.fsum(mp.rf(R, j) / mp.factorial(j) * ((T - tx) / (al + T)) ** j for j in range(k))
    odds = 0 if x == 0 and o == 0 else a / (b + x - 1 + o) * mp.exp(R * mp.log1p((T - tx) / (al + tx)))
    return A - R * mp.log(al + T) + mp.log(alive + odds)

def cnbd(p, k, o, x, tx, T, h):
    r, al, a, b = p
    w = [mp.rf(r + k * x, j) / mp.factorial(j) * ((T - tx) / (al + T)) ** j for j in range(k)]
    stages = mp.fsum(w)
    odds = 0 if x == 0 and o == 0 else a / (b + x - 1 + o) * mp.exp((r + k * x) * mp.log1p((T - tx) / (al + tx))) / stages
    c, z = b + x + o, h / (al + T + h)
    total = mpf(0)
    for j in range(k):
        sub, staying, n = mpf(0), mpf(1), 1
        while True:
            term = staying * mp.betainc(k * n - j, r + k * x + j, 0, z, regularized=True)
            sub += term
            if term < mpf(10) ** -18 * sub * (1 - z ** k): break
            staying *= (c + n - 1) / (a + c + n - 1)
            n += 1
        total += w[j] * sub
    return 1 / (1 + odds), total / stages, mp.fsum(w[j] * mp.betainc(k - j, r + k * x + j, 0, z, regularized=True) for j in range(k)) / stages

def gg_ll(w, x, m):
    p, q, v = w
    return (-(mp.loggamma(p * x) + mp.loggamma(q) - mp.loggamma(p * x + q)) + p * x * mp.log(x * m / (x * m + v)) + q * mp.log(v / (x * m + v)) - mp.log(m))

E = lambda *v: tuple(mpf(float(x)) for x in v)
predictions, likelihoods, spend = [], [], []
number = lambda v: None if v is None else float(v)
def put(model, p, k, x, tx, T, h, d, *answers):
    predictions.append([model, [float(v) for v in p], k, float(x), float(tx), float(T), float(h), number(d)] + [number(v) for v in answers])
def told(model, p, k, x, tx, T, value):
    likelihoods.append([model, [float(v) for v in p], k, float(x), float(tx), float(T), float(value)])

histories = [E(0, 0, 0), E(0, 0, 38.86), E(1, 0, 0), E(1, 30, 38.86), E(7, 38.86, 38.86), E(300, 97, 97.29), E(100000, 700, 700.01), E(100000, 730, 730)]
shapes = [E(1 - 1e-9, 2.42591), E(1, 2.42591), E(1 + 1e-9, 2.42591), E(2, 2.4), E(2 + 1e-9, 2.4), E(1e-6, 2.4), E(.8, 1e-6), E(.8, 1), E(1e-3, 1e-3), E(50, .5),
          E(.79292, 2.42591)]
d = mpf(0.0027)
for o, model in ((0, "bg-nbd"), (1, "mbg-nbd")):
    for rate in (E(.24259, 4.4136), E(1e-3, .01), E(60, 1000)):
        for shape in shapes if rate[0] == mpf(.24259) else shapes[:1] + shapes[5:7]:
            p = rate + shape
            for x, tx, T in histories:
                alive = bg_alive(p, o, x, tx, T)
                told(model, p, 1, x, tx, T, bg_ll(p, o, x, tx, T))
                for h in E(1, 10000):
                    long = rate[0] == mpf(.24259) and x in (0, 1, 7) and T > 30
                    put(model, p, 1, x, tx, T, h, d if long else None, alive, bg_purchases(p, o, x, T, h), bg_discounted(p, o, x, T, h, d) if long else None,
                        buys(p[0], p[1], x, T, h))
            print(model, [float(v) for v in p], len(predictions), flush=True)
for p in [E(.3848, 12.072), E(1e-6, 1e-3), E(60, 1000)]:
    for x, tx, T in histories:
        told("nbd", p, 1, x, tx, T, nbd_ll(p[0], p[1], x, T))
        for h in E(1, 10000):
            rate = (p[0] + x) / (p[1] + T)
            put("nbd", p, 1, x, tx, T, h, d, mpf(1), rate * h, rate * -mp.expm1(-d * h) / d, buys(p[0], p[1], x, T, h))
for p in [E(.704, 1.182), E(1, 1), E(1e-6, 1), E(1, 1e-6), E(1000, 3000), E(.668, 3.806)]:
    for t, T in [(0, 0), (7, 7), (1000, 1000), (100000, 100000), (3, 7)]:
        told("sbg", p, 1, t, t, T, sbg_ll(p, t, T))
        for h in (1, 5, 2000):
            plain, disc, buy = sbg_living(p, T, h, d)
            put("sbg", p, 1, t, t, T, h, d, mpf(t == T), plain, disc, buy)
print("nbd, sbg", len(predictions), flush=True)
for p in [E(.55328, 10.57768, .60624, 11.66874), E(.5, 10, 1, 12), E(.5, 10, 1 + 1e-9, 12), E(.01, .5, 1e-6, 40), E(5, 300, 40, 2000), E(1, 50, .3, .01)]:
    for x, tx, T in histories: told("pareto-nbd", p, 1, x, tx, T, pareto_ll(p, x, tx, T))
for p in [E(1.204, .75, .657, 2.783), E(1, 1, 1, 1), E(.001, 1000, .01, 50), E(1e-6, 1e-6, 1e-6, 1e-6)]:
    for x, tx, n in [(0, 0, 0), (0, 0, 6), (6, 6, 6), (1, 6, 6), (2, 4, 100), (900, 950, 1000)]: told("bg-bb", p, 1, x, tx, n, bgbb_ll(p, x, tx, n))
for k, o in [(2, 0), (3, 1), (7, 0)]:
    for p in [E(.9, 3, .8, 3), E(.3, 20, 1, 1), E(.3, 20, 1 + 1e-9, 1e-6)]:
        for x, tx, T in histories: told("mbg-cnbd-k" if o else "bg-cnbd-k", p, k, x, tx, T, cnbd_ll(p, k, o, x, tx, T))
    p = E(.9, 3, 1, 3)
    for x, tx, T in [E(2000, 700, 700.5), E(2000, 700, 700)]:
        put("mbg-cnbd-k" if o else "bg-cnbd-k", p, k, x, tx, T, mpf(5), None, *[v for i, v in enumerate(cnbd(p, k, o, x, tx, T, mpf(5))) for v in ([v, None] if i == 1 else [v])])
    print("ln L", k, len(likelihoods), flush=True)
for w in [E(6.25, 3.74, 15.44), E(6.25, 1 + 1e-9, 15.44), E(6.25, 1, 15.44), E(6.25, 1 - 1e-9, 15.44), E(6.25, .5, 15.44), E(1e-3, 1e-3, 1), E(3000, 4000, .01), E(.2, 1.5, 1e6)]:
    for x in E(1, 2, 29, 100000):
        for m in E(1e-3, 35, 1e6):
            p, q, v = w
            below = p * x + q - 1
            spend.append([[float(u) for u in w], float(x), float(m), float(gg_ll(w, x, m)), float(p * (v + x * m) / below) if below > 0 else None])

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "edge_models.json")
with open(path, "w") as out:
    out.write('{"source": "mpmath, 50 digits (integrals 25 and more); edge_models.py",\n')
    for name, columns, rows in [
        ("predictions", ["model", "parameters", "k", "x", "t_x", "T", "h", "rate", "P(alive)", "purchases of a living customer in h", "the same, discounted", "P(a living customer buys in h)"], predictions),
        ("likelihoods", ["model", "parameters", "k", "x", "t_x", "T", "ln L"], likelihoods),
        ("spend", ["p q v", "x", "m", "ln L", "E[M | x, m]"], spend)]:
        out.write(' "%s_columns": %s,\n "%s": [\n' % (name, json.dumps(columns), name))
        out.write(",\n".join(json.dumps(r) for r in rows))
        out.write("\n]" + ("\n" if name == "spend" else ",\n"))
    out.write("}\n")
