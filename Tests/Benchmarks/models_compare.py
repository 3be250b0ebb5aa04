"""Runs model-benchmark and its peers in turn on the customers of one file of transactions; prints CPU seconds of each step, peak
memory, and whether the log-likelihoods and the sums of predictions agree.

usage: models_compare.py FOLDER PROGRAM ROUNDS      FOLDER holds transactions.csv
"""
import json, os, statistics, subprocess, sys

FOLDER, PROGRAM, ROUNDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
HERE = os.path.dirname(os.path.abspath(__file__))
MILLRACE = os.environ.get("MILLRACE", ".build/release/millrace")
STEPS = ["bg_nbd", "gamma_gamma", "scores", "monthly", "pareto_nbd", "intervals", "value_intervals"]
COLUMNS = os.path.join(FOLDER, "customers")


def customers():
    """frequency, recency, age and monetary in days, as doubles, made by rfm."""
    os.makedirs(COLUMNS, exist_ok=True)
    store = os.path.join(FOLDER, "models-store")
    csv = os.path.join(FOLDER, "transactions.csv")
    run = subprocess.run(
        [MILLRACE, "run", os.path.join(HERE, "transactions.json"), "--set", f"source={csv}", "--artifacts", store, "--json", "--quiet",
         "--allow-path", os.path.realpath(csv)], capture_output=True, text=True, check=True)
    digest = next(s for s in json.loads(run.stdout)["stages"] if s["name"] == "customers")["outputs"]["table"]["digest"]
    import numpy as np, pyarrow as pa
    table = pa.ipc.open_file(pa.memory_map(os.path.join(store, "objects", digest, "part-00000.arrow"))).read_all()
    for name in ("frequency", "recency", "age", "monetary"):
        np.asarray(table[name].to_numpy(), "<f8").tofile(os.path.join(COLUMNS, name))


def measured(command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}\n{err.decode()[-2000:]}")
    return {**json.loads(out), "peak": usage.ru_maxrss / 1024}


customers()
peers = os.path.join(HERE, "models_peers.py")
commands = {"millrace": [PROGRAM, COLUMNS], "scipy": [sys.executable, peers, "scipy", COLUMNS],
            "lifetimes": [sys.executable, peers, "lifetimes", COLUMNS]}
told = {name: [] for name in commands}
for _ in range(ROUNDS):
    for name, command in commands.items():
        told[name].append(measured(command))
ours = told["millrace"][0]
print(f"\nmodels: {ROUNDS} rounds, {int(ours['customers']):,} customers; medians of CPU seconds")
print(f"{'':12}" + "".join(f"{step:>17}" for step in STEPS) + f"{'peak MiB':>10}{'l. l. BG/NBD':>17}{'l. l. spend':>16}")
for name, rounds in told.items():
    cells = [f"{statistics.median(r[step] for r in rounds):17.2f}" if step in rounds[0] else f"{'':17}" for step in STEPS]
    first = rounds[0]
    print(f"{name:12}" + "".join(cells) + f"{statistics.median(r['peak'] for r in rounds):10.0f}{first['log_likelihood']:17.3f}{first['log_likelihood_spend']:16.3f}")
for name, rounds in told.items():
    first = rounds[0]
    for key in ("log_likelihood", "log_likelihood_spend"):
        # Lower is a search that stopped early; higher would be another likelihood.
        if first[key] > ours[key] + 0.01:
            sys.exit(f"{key} of {name} is higher: {first[key]}, here {ours[key]}")
        if name == "scipy" and first[key] < ours[key] - 0.01:
            sys.exit(f"{key} of {name} differs: {first[key]}, here {ours[key]}")
    for key in ("sum_alive", "sum_purchases", "sum_value"):
        if abs(first[key] / ours[key] - 1) > 1e-3:
            sys.exit(f"{key} of {name} differs: {first[key]}, here {ours[key]}")
print("log-likelihoods within 0.01 of scipy's, none higher; sums of predictions within a thousandth")
