"""What a stage costs that does next to nothing: CPU seconds of the whole process, children included, of graphs of trivial stages, in Millrace and in
frameworks of others. overhead.py FOLDER FRAMEWORKS PYTHONS [SCALE]

FOLDER: to work in. FRAMEWORKS: gen.py and f_*.py, which write and run the same graphs for others. PYTHONS: a folder of packages for each of them. Graphs:
`seven` is a chain of seven whose sixth reads a parameter, `wide N` N independent stages, `chain N` each reading the one before. SCALE divides the large ones."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

MILLRACE = os.path.abspath(os.environ.get("MILLRACE", ".build/release/millrace"))
work, frameworks, pythons = (os.path.abspath(path) for path in sys.argv[1:4])
scale = int(sys.argv[4]) if len(sys.argv) > 4 else 1


def measured(arguments, folder, python=None, rounds=1):
    """Median CPU and wall seconds; None when it failed or took longer than five minutes."""
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "HAMILTON_TELEMETRY_ENABLED": "false", "DAGSTER_DISABLE_TELEMETRY": "1"}
    if python:
        environment["PYTHONPATH"] = f"{pythons}/{python}"
    found = []
    for _ in range(rounds):
        begin = time.monotonic()
        child = subprocess.Popen(arguments, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        words = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
        if status != 0:
            print(f"failed: {' '.join(arguments)}: {words.decode(errors='replace')[-400:]}", file=sys.stderr)
            return None
        found.append((usage.ru_utime + usage.ru_stime, time.monotonic() - begin, usage.ru_maxrss))
    return tuple(statistics.median(column) for column in zip(*found))


def document(kind, n):
    """The graph as a document: every stage adds to a number of the one before, so that each gives something else."""
    stages = {"o0": {"stage": "ingest", "with": {"path": "in.csv", "columns": {"x0": {"source": "x", "type": "int64"}}}}}
    parameters = {}
    for i in range(1, n):
        before = "x0" if kind == "wide" else f"x{i - 1}"
        term = f"{before} + {i}" if kind != "seven" or i != 5 else f"{before} + $p"
        stages[f"o{i}"] = {
            "stage": "aggregate", "from": "o0" if kind == "wide" else f"o{i - 1}", "with": {"by": {f"x{i}": term}, "aggregates": {"rows": "count(*)"}}}
    if kind == "seven":
        parameters = {"p": {"type": "int", "default": 1}}
    return {"pipeline": kind, "parameters": parameters, "stages": stages}


def millrace(kind, n, rounds=5):
    folder = f"{work}/millrace-{kind}-{n}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(folder + "/in.csv", "w") as file:
        file.write("x\n1\n")
    with open(folder + "/p.json", "w") as file:
        json.dump(document(kind, n), file)
    run = [MILLRACE, "run", "p.json", "--quiet"]
    first, again = measured(run, folder), measured(run, folder, rounds=rounds)
    changed = measured(run + ["--set", "p=2"], folder) if kind == "seven" else None
    objects = json.loads(subprocess.run([MILLRACE, "cache", "stats", "--json"], cwd=folder, capture_output=True, check=True).stdout)["objects"]
    if objects < n:
        print(f"{kind} {n}: {objects} artifacts, not one for each stage", file=sys.stderr)
    shutil.rmtree(folder)
    return first, again, changed


def other(name, kind, n, rounds=3):
    folder = f"{work}/{name}-{kind}-{n}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    python = {"hamilton": "sf-hamilton"}.get(name, name)
    if name in ("dvc", "snakemake"):
        subprocess.run([sys.executable, frameworks + "/gen.py", name, kind, str(n), folder], check=True)
        run = [sys.executable, "-m", "dvc", "repro", "--quiet"] if name == "dvc" else [sys.executable, "-m", "snakemake", "-c1", "--quiet", "all"]
        if name == "dvc":
            measured([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], folder, python)
    else:
        run = [sys.executable, f"{frameworks}/f_{name}.py", kind, str(n), folder, "1"]
    first = measured(run, folder, python)
    again = measured(run, folder, python, rounds=rounds) if first else None
    changed = None
    if again and kind == "seven":
        if name == "dvc":
            open(folder + "/params.yaml", "w").write("p: 2\n")
        elif name == "snakemake":
            open(folder + "/config.yaml", "w").write("p: 2\n")
        else:
            run[-1] = "2"
        changed = measured(run, folder, python)
    shutil.rmtree(folder, ignore_errors=True)
    return first, again, changed


def milliseconds(found, by=1):
    return "–" if found is None else f"{found[0] * 1000 / by:.{1 if found[0] * 1000 / by < 10 else 0}f}"


def row(name, kind, n, found, base=None):
    first, again, changed = found
    ratio = f"{again[0] / base:.0f}" if base and again else ""
    print(f"| {kind} {n} | {name} | {milliseconds(first)} | {milliseconds(first, n)} | {milliseconds(again)} | {milliseconds(changed)} | {ratio} |", flush=True)
    return again[0] if again else None


os.makedirs(work, exist_ok=True)
print("| graph | | first run, CPU ms | of it a stage | nothing to do, CPU ms | parameter changed | nothing to do, of Millrace's |\n|---|---|---|---|---|---|---|")
others = ["luigi", "hamilton", "dvc", "snakemake", "dagster"]
if not os.path.isdir(frameworks) or not os.path.isdir(pythons):
    print(f"not there, so not measured: {frameworks} or {pythons}", file=sys.stderr)
    others = []
for kind, n, names in (
    ("seven", 7, others), ("wide", 200 // min(scale, 4), others), ("wide", 1000 // scale, ["luigi", "hamilton", "dagster"] if others else []),
    ("chain", 1000 // scale, ["luigi"] if others else []), ("wide", 10_000 // scale, []), ("chain", 5000 // scale, []),
):
    base = row("**millrace**", kind, n, millrace(kind, n, rounds=9 if kind == "seven" else 3))
    for name in names:
        row(name, kind, n, other(name, kind, n), base)
