"""Known answers for models of value from attributes, by scikit-learn and XGBoost's own Python.

    pip install scikit-learn==1.9.1 pandas==3.1.1 xgboost-cpu==3.2.0
    python3 attributes.py FOLDER > attributes.json     # FOLDER holds ibm_customer_value/*.csv

`synthetic` holds its own rows; `ibm` is compared where the data are present. Least squares with standard errors is numpy's.
"""
import glob, json, sys

import numpy as np, pandas as pd, sklearn, xgboost as xgb
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, PoissonRegressor, Ridge, TweedieRegressor
from sklearn.preprocessing import StandardScaler, TargetEncoder


def table(n=300):
    rng = np.random.default_rng(20261121)
    income = np.round(rng.gamma(2, 20000, n), 2)
    policies = rng.integers(1, 9, n)
    claims = np.round(rng.normal(400, 150, n), 3)
    coverage = rng.choice(["Basic", "Extended", "Premium"], n, p=[0.6, 0.3, 0.1])
    region = rng.choice(["east", "north", "south", "west"], n)
    eta = 5 + 0.00001 * income + 0.1 * policies + 0.4 * (coverage == "Premium") + 0.2 * (region == "west")
    y = np.round(np.exp(eta + rng.normal(0, 0.5, n)), 2) * (rng.random(n) < 1 / (1 + np.exp(-0.3 * policies)))
    return pd.DataFrame(dict(income=income, policies=policies, claims=claims, coverage=coverage, region=region, value=y))


def least_squares(X, y):
    A = np.column_stack([np.ones(len(y)), X])
    b, _, _, _ = np.linalg.lstsq(A, y, rcond=None)
    r = y - A @ b
    s2 = r @ r / (len(y) - A.shape[1])
    return dict(intercept=b[0], coefficients=list(b[1:]), errors=list(np.sqrt(s2 * np.diag(np.linalg.inv(A.T @ A)))), sigma=s2 ** 0.5,
                r2=1 - r @ r / ((y - y.mean()) @ (y - y.mean())))


def form(m):
    return dict(intercept=float(m.intercept_), coefficients=[float(c) for c in m.coef_])


def scaled(m, scaler):
    c = m.coef_ / scaler.scale_
    return dict(intercept=float(m.intercept_ - c @ scaler.mean_), coefficients=[float(x) for x in c])


def errors(p, y):
    return dict(mae=float(np.abs(p - y).mean()), rmse=float(((p - y) ** 2).mean() ** 0.5), r2=float(1 - ((p - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()))


boosting = dict(tree_method="hist", nthread=1, seed=1, max_depth=4, learning_rate=0.1, objective="reg:squarederror")
forest = dict(tree_method="hist", nthread=1, seed=1, max_depth=6, learning_rate=1, subsample=0.8, colsample_bynode=0.8, reg_lambda=1e-5,
              num_parallel_tree=50, objective="reg:squarederror")


def synthetic():
    t = table()
    y = t.value.to_numpy()
    dummies = pd.get_dummies(t.drop(columns="value"), drop_first=True, dtype=float)
    X = dummies.to_numpy()
    n = len(y)
    scaler = StandardScaler().fit(X)
    Z = scaler.transform(X)
    out = dict(columns=list(dummies.columns), rows=json.loads(t.to_json(orient="values", double_precision=15)))
    out["ols"] = least_squares(X, y)
    out["ridge"] = dict(penalty=0.5, **scaled(Ridge(alpha=0.5 * n, solver="cholesky").fit(Z, y), scaler))
    out["elastic_net"] = dict(penalty=20.0, l1_ratio=0.7, **scaled(ElasticNet(alpha=20, l1_ratio=0.7, tol=1e-14, max_iter=1_000_000).fit(Z, y), scaler))
    # Columns of standard deviation 1 keep the solver's tolerance the same for all; the penalized ones are in their own units.
    glm = dict(solver="newton-cholesky", tol=1e-10, max_iter=1000)
    out["poisson"] = scaled(PoissonRegressor(alpha=0, **glm).fit(Z, y), scaler)
    small = dummies[["policies", "coverage_Premium", "region_west"]].to_numpy()
    out["poisson_penalized"] = dict(penalty=0.2, columns=["policies", "coverage_Premium", "region_west"], **form(PoissonRegressor(alpha=0.2, **glm).fit(small, y)))
    out["tweedie"] = dict(power=1.4, **scaled(TweedieRegressor(power=1.4, alpha=0, link="log", **glm).fit(Z, y), scaler))
    chance = LogisticRegression(C=np.inf, tol=1e-12, solver="newton-cholesky", max_iter=1000).fit(Z, y > 0)
    chance.intercept_, chance.coef_ = chance.intercept_[0], chance.coef_[0]
    logs = least_squares(X[y > 0], np.log(y[y > 0]))
    p = int((y > 0).sum())
    sigma = logs["sigma"] * ((p - 1 - X.shape[1]) / p) ** 0.5
    q = scaled(chance, scaler)
    mean = 1 / (1 + np.exp(-(q["intercept"] + X @ q["coefficients"]))) * np.exp(logs["intercept"] + X @ logs["coefficients"] + sigma ** 2 / 2)
    out["zero_inflated_lognormal"] = dict(chance=q, log_value=dict(intercept=logs["intercept"], coefficients=logs["coefficients"]), sigma=sigma, values=list(mean[:20]))
    encoder = TargetEncoder(smooth=10.0, target_type="continuous").fit(t[["region"]], y)
    out["target"] = dict(levels=list(encoder.categories_[0]), values=[float(v) for v in encoder.encodings_[0]], otherwise=float(encoder.target_mean_))
    whole = pd.get_dummies(t.drop(columns="value"), dtype=float).to_numpy()  # trees: every level
    d = xgb.DMatrix(whole, y, nthread=1)
    for name, settings, rounds in [("boosting", boosting, 30), ("forest", forest, 1), ("boosting_tweedie", dict(boosting, objective="reg:tweedie", tweedie_variance_power=1.5), 30)]:
        b = xgb.train(settings, d, rounds)
        out[name] = dict(values=[float(v) for v in b.predict(d)[:50]], contributions=[[float(v) for v in r] for r in b.predict(d, pred_contribs=True)[:5]])
    return out


def ibm(folder):
    t = pd.read_csv(glob.glob(folder + "/ibm_customer_value/*.csv")[0])
    y = t["Customer Lifetime Value"].to_numpy()
    test = np.arange(len(t)) % 5 == 4
    numeric = ["Income", "Monthly Premium Auto", "Months Since Last Claim", "Months Since Policy Inception", "Number of Open Complaints",
               "Number of Policies", "Total Claim Amount"]
    text = [c for c in t.columns if c not in numeric and c not in ("Customer", "Customer Lifetime Value", "Effective To Date")]
    out = dict(numeric=numeric, text=text)
    X = t[numeric].to_numpy(float)
    out["ols"] = least_squares(X[~test], y[~test])
    b = np.array(out["ols"]["coefficients"])
    out["ols"]["test"] = errors(out["ols"]["intercept"] + X[test] @ b, y[test])
    full = pd.get_dummies(t[numeric + text], drop_first=True, dtype=float).to_numpy()
    m = LinearRegression().fit(full[~test], y[~test])
    out["one_hot"] = dict(test=errors(m.predict(full[test]), y[test]), predictions=[float(v) for v in m.predict(full[test])[:20]])
    whole = pd.get_dummies(t[numeric + text], dtype=float).to_numpy()
    d, e = xgb.DMatrix(whole[~test], y[~test], nthread=1), xgb.DMatrix(whole[test], nthread=1)
    for name, settings, rounds in [("boosting", boosting, 200), ("forest", forest, 1)]:
        out[name] = errors(xgb.train(settings, d, rounds).predict(e).astype(float), y[test])
    return out


def rounded(x):
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [rounded(v) for v in x]
    return x.item() if isinstance(x, np.generic) else x


versions = dict(numpy=np.__version__, pandas=pd.__version__, scikit_learn=sklearn.__version__, xgboost=xgb.__version__)
print(json.dumps(rounded(dict(computed_with=versions, synthetic=synthetic(), ibm=ibm(sys.argv[1])))))
