"""Runs Millrace and its peers in turn on one file; prints processor seconds, wall seconds, peak memory and ratios, and
whether all results agree.

usage: compare.py FOLDER ROUNDS [VARIANT…]      FOLDER holds transactions.csv and transactions.csv.gz

Variants: kept (every stage's artifact is written), streamed (ingest and clean are not kept), gzip (as streamed, from .csv.gz),
clean (from the clean artifact to RFM; the peers read the same file). Default: all.
"""
import json, os, shutil, statistics, subprocess, sys, time

FOLDER, ROUNDS = sys.argv[1], int(sys.argv[2])
WANTED = sys.argv[3:] or ["kept", "streamed", "gzip", "clean"]
HERE = os.path.dirname(os.path.abspath(__file__))
MILLRACE = os.environ.get("MILLRACE", ".build/release/millrace")
CSV = os.path.join(FOLDER, "transactions.csv")
PEERS = ["duckdb", "polars", "pandas", "pyarrow"]
# What must be equal; sums of doubles to the penny of a sum of millions.
EXACT = ["clean_rows", "customers", "frequency", "recency", "age", "orders"]
NEAR = {"revenue": 0.011, "monetary": 0.05}


def measured(command):
    """Of the process and all that it started: what it printed, CPU seconds, wall seconds, peak MiB."""
    start = time.time()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}\n{err.decode()[-2000:]}")
    return json.loads(out), {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.time() - start, "peak": usage.ru_maxrss / 1024}


def document(streamed):
    with open(os.path.join(HERE, "transactions.json")) as file:
        pipeline = json.load(file)
    if streamed:
        for name in ("transactions", "sales"):
            pipeline["stages"][name]["keep"] = False
    path = os.path.join(FOLDER, "streamed.json" if streamed else "kept.json")
    with open(path, "w") as file:
        json.dump(pipeline, file)
    return path


def artifact(store, report, stage):
    digest = next(s for s in report["stages"] if s["name"] == stage)["outputs"]["table"]["digest"]
    return os.path.join(store, "objects", digest, "part-00000.arrow")


def millrace(variant):
    store = os.path.join(FOLDER, "store")
    path = document(variant in ("streamed", "gzip"))
    command = [MILLRACE, "run", path, "--set", f"source={CSV + ('.gz' if variant == 'gzip' else '')}", "--artifacts", store, "-j", "2", "--json", "--quiet",
               "--allow-path", os.path.abspath(FOLDER)]
    if variant == "clean":
        command[command.index(store)] = os.path.join(FOLDER, "kept-store")
        store = os.path.join(FOLDER, "kept-store")
        # What the run is to make is not there; what it begins with is.
        made = artifact(store, json.load(open(os.path.join(FOLDER, "kept-report.json"))), "customers")
        shutil.rmtree(os.path.dirname(made), ignore_errors=True)
    else:
        shutil.rmtree(store, ignore_errors=True)
    report, figures = measured(command)
    stages = {stage["name"]: stage for stage in report["stages"]}
    return told(stages, artifact(store, report, "customers")), figures


def told(stages, file):
    """The sums of our table of customers, read by another's reader."""
    import pyarrow as pa, pyarrow.compute as pc
    table = pa.ipc.open_file(pa.memory_map(file)).read_all()
    total = {name: pc.sum(table[name]).as_py() for name in ("frequency", "recency", "age", "orders", "revenue", "monetary")}
    return {"tool": "millrace", "clean_rows": stages["sales"]["outputs"]["table"]["rows"], "customers": table.num_rows,
            **{name: int(total[name]) for name in ("frequency", "recency", "age", "orders")},
            "revenue": float(total["revenue"]), "monetary": total["monetary"]}


def peer(name, variant):
    source = CSV
    if variant == "gzip":
        source = CSV + ".gz"
    if variant == "clean":
        kept = os.path.join(FOLDER, "kept-store")
        report = {"stages": json.load(open(os.path.join(FOLDER, "kept-report.json")))["stages"]}
        source = artifact(kept, report, "sales")
    return measured([sys.executable, os.path.join(HERE, name + "_rfm.py"), source])


def agree(variant, results):
    first = results["millrace"]
    for name, other in results.items():
        for key in EXACT:
            if other[key] != first[key]:
                sys.exit(f"{variant}: {key} differs: {first[key]} of millrace, {other[key]} of {name}")
        for key, apart in NEAR.items():
            if abs(other[key] - first[key]) > apart:
                sys.exit(f"{variant}: {key} differs: {first[key]} of millrace, {other[key]} of {name}")


def keep_store():
    """A store with the clean artifact, for the variant that begins there."""
    kept = os.path.join(FOLDER, "kept-store")
    shutil.rmtree(kept, ignore_errors=True)
    report, _ = measured([MILLRACE, "run", document(False), "--set", f"source={CSV}", "--artifacts", kept, "-j", "2", "--json", "--quiet",
                          "--allow-path", os.path.abspath(FOLDER)])
    with open(os.path.join(FOLDER, "kept-report.json"), "w") as file:
        json.dump(report, file)


if "clean" in WANTED:
    keep_store()
for variant in WANTED:
    figures = {name: [] for name in ["millrace"] + PEERS}
    results = {}
    for _ in range(ROUNDS):
        for name in figures:
            results[name], figure = millrace(variant) if name == "millrace" else peer(name, variant)
            figures[name].append(figure)
    agree(variant, results)
    ours = {key: statistics.median(f[key] for f in figures["millrace"]) for key in ("cpu", "wall", "peak")}
    print(f"\n{variant}: {ROUNDS} rounds, {results['millrace']['clean_rows']:,} clean rows, {results['millrace']['customers']:,} customers; results equal")
    print(f"{'':18}{'cpu s: least, median, most':>30}{'wall s':>9}{'peak MiB':>10}{'millrace / it: cpu':>20}{'wall':>7}")
    for name, rows in figures.items():
        cpu = [row["cpu"] for row in rows]
        wall, peak = (statistics.median(row[key] for row in rows) for key in ("wall", "peak"))
        print(f"{results[name]['tool']:18}{min(cpu):12.2f}{statistics.median(cpu):9.2f}{max(cpu):9.2f}{wall:9.2f}{peak:10.0f}"
              f"{ours['cpu'] / statistics.median(cpu):20.2f}{ours['wall'] / wall:7.2f}", flush=True)
