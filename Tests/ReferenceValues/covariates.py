#!/usr/bin/env python3
"""Purchase models with static covariates, fitted by scipy: simulated customers and the maxima, printed as JSON.

    pip install numpy scipy && python3 covariates.py > covariates.json

The likelihoods are those of the papers in their textbook forms (Pareto/NBD with its hypergeometric functions), with every customer's own
parameters: alpha e^(-g z); beta e^(-d z), or a e^(d z) and b e^(d z) (Fader & Hardie, note 019). scipy minimizes; Newton's method with
numerical derivatives polishes; errors are from the numerical Hessian.
"""
import json
import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, betaln, hyp2f1

N, STAGES = 600, 2


def simulate():
    rng = np.random.default_rng(2026)
    rows = []
    for _ in range(N):
        kind, age, weight = int(rng.random() < 0.4), int(rng.integers(0, 4)), int(rng.integers(1, 4))
        T = float(rng.integers(60, 120))
        rate = rng.gamma(1.1, 1 / (5 * np.exp(-(0.6 * kind - 0.15 * age))))
        more = np.exp(0.4 * kind + 0.1 * age)
        p = rng.beta(0.6 * more, 2.2 * more)
        now, last, x, logs = 0.0, 0.0, 0, 0.0
        # Of two customers one may leave at once, so that both kinds of dropout find their parameters.
        while rng.random() > p / 2 or x > 0:
            now = round(now + rng.gamma(STAGES, 1 / rate), 2)
            if now > T:
                break
            now = max(now, round(last + 0.01, 2))
            logs += np.log(now - last)
            last, x = now, x + 1
            if rng.random() < p:
                break
        rows.append((x, last, T, kind, age, weight, logs))
    return [np.array(c, dtype=float) for c in zip(*rows)]


x, tx, T, kind, age, weight, logs = simulate()
Z = np.stack([kind, age])


def nbd(r, alpha, k):
    return gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + T)


def pareto(r, alpha, s, beta, k):
    both = r + s + x
    largest = np.maximum(alpha, beta)

    def part(t):
        second = np.where(alpha >= beta, s + 1, r + x)
        return hyp2f1(both, second, both + 1, np.abs(alpha - beta) / (largest + t)) * ((largest + tx) / (largest + t)) ** both

    left = np.log(s) - np.log(both) - both * np.log(largest + tx) + np.log(np.maximum(part(tx) - part(T), 1e-300))
    stays = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
    return gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.logaddexp(stays, left)


def betageometric(o):
    def ll(r, alpha, a, b, k):
        R = r + k * x
        stages = sum(np.exp(gammaln(R + j) - gammaln(R) - gammaln(j + 1)) * ((T - tx) / (alpha + T)) ** j for j in range(k))
        with np.errstate(divide="ignore"):
            left = np.log(a) - np.log(np.where(x + o > 0, b + x - 1 + o, 1)) - R * np.log(alpha + tx)
        left = np.where(x + o > 0, left, -np.inf)
        stays = np.log(stages) - R * np.log(alpha + T)
        spacing = (k - 1) * logs - x * gammaln(k)
        return spacing + betaln(a, b + x + o) - betaln(a, b) + gammaln(R) - gammaln(r) + r * np.log(alpha) + np.logaddexp(stays, left)

    return ll


MODELS = {
    "nbd": (nbd, 2, 1), "pareto-nbd": (pareto, 4, 1), "bg-nbd": (betageometric(0), 4, 1), "mbg-nbd": (betageometric(1), 4, 1),
    "bg-cnbd-k": (betageometric(0), 4, STAGES), "mbg-cnbd-k": (betageometric(1), 4, STAGES),
}


def total(name, theta, k, w, prior):
    ll, n, _ = MODELS[name]
    p = [np.exp(v) for v in theta[:n]]
    p[1] = p[1] * np.exp(-(theta[n:n + 2] @ Z))
    if name == "pareto-nbd":
        p[3] = p[3] * np.exp(-(theta[n + 2:] @ Z))
    elif n == 4:
        more = np.exp(theta[n + 2:] @ Z)
        p[2], p[3] = p[2] * more, p[3] * more
    value = np.sum(w * ll(*p, k))
    if prior:
        mean = lambda c: np.sum(w * c) / np.sum(w)
        age_ = np.log(mean(T))
        centers = [0, age_, 0, age_ if name == "pareto-nbd" else 0][:n]
        spreads = [np.sqrt(mean((c - mean(c)) ** 2)) for c in Z]
        away = list(theta[:n] - centers) + [theta[n + i] * spreads[i % 2] for i in range(len(theta) - n)]
        value -= 0.5 * np.sum(np.square(away)) / 9
    return value


def gradient(f, at, h=1e-3):
    out = []
    for i in range(len(at)):
        e = np.zeros(len(at))
        e[i] = h
        out.append((8 * (f(at + e) - f(at - e)) - (f(at + 2 * e) - f(at - 2 * e))) / (12 * h))
    return np.array(out)


def hessian(f, at, h=1e-3):
    rows = []
    for i in range(len(at)):
        e = np.zeros(len(at))
        e[i] = h
        rows.append((8 * (gradient(f, at + e) - gradient(f, at - e)) - (gradient(f, at + 2 * e) - gradient(f, at - 2 * e))) / (12 * h))
    H = np.array(rows)
    return (H + H.T) / 2


def fit(name, k, w, prior=False):
    n = MODELS[name][1]
    f = lambda theta: -total(name, theta, k, w, prior)
    start = np.array([0.0, np.log(5.0)] + ([0.0, 1.0] if n == 4 else []) + [0.0] * (4 if n == 4 else 2))
    if name == "pareto-nbd":
        start[3] = np.log(60.0)
    best = minimize(f, start, method="BFGS", options={"gtol": 1e-6}).x
    for _ in range(8):
        best = best - np.linalg.solve(hessian(f, best), gradient(f, best))
    deviations = np.sqrt(np.diag(np.linalg.inv(hessian(f, best))))
    p = np.exp(best[:n])
    return {
        "model": name, "k": k, "weighted": int(w is weight), "prior": int(prior), "log_likelihood": total(name, best, k, w, False),
        "parameters": list(p), "effects": list(best[n:]), "errors": list(p * deviations[:n]) + list(deviations[n:]),
        "slope": float(np.max(np.abs(gradient(f, best)))),
    }


ones = np.ones(N)
fits = [fit(name, k, w) for name, (_, _, k) in MODELS.items() for w in (ones, weight)]
fits += [fit(name, k, ones, True) for name, (_, _, k) in MODELS.items()]
fits += [fit("bg-cnbd-k", k, ones) for k in (1, 3)]
names = ["x", "tx", "T", "kind", "age", "weight", "log_gaps"]
customers = {n: [int(v) if v == int(v) else float(v) for v in c] for n, c in zip(names, (x, tx, T, kind, age, weight, logs))}
print("{")
print('"customers": {\n' + ",\n".join(f'"{n}": {json.dumps(c, separators=(",", ":"))}' for n, c in customers.items()) + "\n},")
print('"fits": [\n' + ",\n".join(json.dumps(f) for f in fits) + "\n]\n}")
