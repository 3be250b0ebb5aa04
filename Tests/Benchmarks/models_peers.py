"""What model-benchmark does, by others: lifetimes, or scipy over grouped rows; one JSON object out, CPU seconds of each step.

usage: models_peers.py lifetimes|scipy FOLDER

scipy: BG/NBD and Gamma-Gamma by L-BFGS-B with analytic gradients over equal rows counted once, the usual closed form
with 2F1 for predictions. Log-likelihoods are on one definition for all: Fader, Hardie & Lee 2005; Fader & Hardie 2013.
"""
import json, os, sys, time, warnings
import numpy as np
from scipy.special import gammaln, hyp2f1, psi

warnings.filterwarnings("ignore")
HOW, FOLDER = sys.argv[1:3]
x, tx, T, m = (np.fromfile(os.path.join(FOLDER, name), "<f8") for name in ("frequency", "recency", "age", "monetary"))
bought = (x > 0) & (m > 0)
told = {}


def timed(name, work):
    start = time.process_time()
    result = work()
    told[name] = time.process_time() - start
    return result


def likelihood(p, x, tx, T, w):
    """The log-likelihood of BG/NBD and its gradient."""
    r, alpha, a, b = p
    repeat = x > 0
    survived = np.where(repeat, b + x - 1, 1.0)
    stayed = -(r + x) * np.log(alpha + T)
    left = np.where(repeat, np.log(a / survived) - (r + x) * np.log(alpha + tx), -np.inf)
    both = np.logaddexp(stayed, left)
    q = np.exp(left - both)
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + gammaln(a + b) - gammaln(b) + gammaln(b + x) - gammaln(a + b + x) + both
    ends = psi(a + b) - psi(a + b + x)
    gradient = [psi(r + x) - psi(r) + np.log(alpha) - (1 - q) * np.log(alpha + T) - q * np.log(alpha + tx),
                r / alpha - (r + x) * ((1 - q) / (alpha + T) + q / (alpha + tx)), ends + q / a,
                ends + psi(b + x) - psi(b) - np.where(repeat, q / survived, 0)]
    return np.sum(w * value), np.array([np.sum(w * g) for g in gradient])


def likelihood_of_spend(p, x, m):
    p, q, v = p
    log_all = np.log(x * m + v)
    both = psi(p * x + q)
    value = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v) + (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * log_all
    gradient = [x * (both - psi(p * x) + np.log(m) + np.log(x) - log_all), both - psi(q) + np.log(v) - log_all, q / v - (p * x + q) / (x * m + v)]
    return value.sum(), np.array([g.sum() for g in gradient])


def maximum(function, start, scale):
    from scipy.optimize import minimize
    def lost(logs):
        value, gradient = function(np.exp(logs))
        return -value / scale, -gradient * np.exp(logs) / scale
    return np.exp(minimize(lost, np.log(start), jac=True, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-8, "maxiter": 500}).x)


def grouped():
    key, count = np.unique((x.astype(np.int64) << 32) | (tx.astype(np.int64) << 16) | T.astype(np.int64), return_counts=True)
    X, TX, TT = (key >> 32).astype(float), ((key >> 16) & 65535).astype(float), (key & 65535).astype(float)
    return maximum(lambda p: likelihood(p, X, TX, TT, count.astype(float)), [1, T.mean() / 4, 1, 2], x.size)


def expected(p, h):
    r, alpha, a, b = p
    odds = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + T) / (alpha + tx)) ** (r + x), 0.0)
    none = hyp2f1(r + x, b + x, a + b + x - 1, h / (alpha + T + h)) * ((alpha + T) / (alpha + T + h)) ** (r + x)
    return 1 / (1 + odds), (a + b + x - 1) / (a - 1) * (1 - none) / (1 + odds)


def value(p, g):
    spend = np.where(bought, g[0] * (g[2] + x * m) / (g[0] * x + g[1] - 1), g[0] * g[2] / (g[1] - 1))
    total, before = np.zeros_like(x), 0.0
    for month in range(1, 7):
        now = expected(p, 30.0 * month)[1]
        total, before = total + spend * (now - before) / 1.01 ** month, now
    return total


if HOW == "scipy":
    p = timed("bg_nbd", grouped)
    g = timed("gamma_gamma", lambda: maximum(lambda p: likelihood_of_spend(p, x[bought], m[bought]), [2, 3, m[bought].mean()], bought.sum()))
    alive, purchases = timed("scores", lambda: expected(p, 182.0))
    clv = timed("monthly", lambda: value(p, g))
else:
    import pandas as pd
    from lifetimes import BetaGeoFitter, GammaGammaFitter
    columns = [pd.Series(c) for c in (x, tx, T, m)]
    bg, gg = BetaGeoFitter(penalizer_coef=0.0), GammaGammaFitter(penalizer_coef=0.0)
    timed("bg_nbd", lambda: bg.fit(*columns[:3]))
    timed("gamma_gamma", lambda: gg.fit(columns[0][bought], columns[3][bought]))
    p, g = bg.params_[["r", "alpha", "a", "b"]].to_numpy(), gg.params_[["p", "q", "v"]].to_numpy()
    alive, purchases = timed("scores", lambda: (
        np.asarray(bg.conditional_probability_alive(*columns[:3])),
        np.asarray(bg.conditional_expected_number_of_purchases_up_to_time(182, *columns[:3]))))
    clv = timed("monthly", lambda: np.asarray(gg.customer_lifetime_value(bg, *columns, time=6, discount_rate=0.01, freq="D")))
told.update(customers=int(x.size), log_likelihood=float(likelihood(p, x, tx, T, 1.0)[0]),
            log_likelihood_spend=float(likelihood_of_spend(g, x[bought], m[bought])[0]), sum_alive=float(alive.sum()),
            sum_purchases=float(np.nansum(purchases)), sum_value=float(np.nansum(clv)), **dict(zip(("r", "alpha", "a", "b"), map(float, p))),
            **dict(zip("pqv", map(float, g))))
print(json.dumps(told))
