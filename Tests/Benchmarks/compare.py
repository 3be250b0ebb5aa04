"""Runs Millrace and DuckDB in turn on one file; prints figures, the ratio, and whether the results agree.

usage: compare.py FOLDER RUNS    (FOLDER holds transactions.csv)
"""
import json, os, shutil, statistics, subprocess, sys, time

folder, runs = sys.argv[1], int(sys.argv[2])
csv = os.path.join(folder, "transactions.csv")


def measured(command):
    start = time.time()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return json.loads(out), usage.ru_utime + usage.ru_stime, time.time() - start, usage.ru_maxrss / 1024


def millrace():
    store = os.path.join(folder, "store")
    shutil.rmtree(store, ignore_errors=True)
    report, cpu, wall, peak = measured(
        [".build/release/millrace", "run", "Tests/Benchmarks/transactions.json", "--set", f"source={csv}", "--artifacts", store, "-j", "2", "--json", "--quiet"])
    stages = {stage["name"]: stage for stage in report["stages"]}
    result = (stages["sales"]["outputs"]["table"]["rows"], stages["customers"]["outputs"]["table"]["rows"], round(float(stages["sales"]["metrics"].get("amount_kept", 0) or 0), 2))
    return result, cpu, wall, peak, {name: stage["seconds"] for name, stage in stages.items()}


def duckdb():
    row, cpu, wall, peak = measured([sys.executable, "Tests/Benchmarks/duckdb_rfm.py", csv, "2"])
    return (row["clean_rows"], row["customers"], round(row["revenue"], 2)), cpu, wall, peak, None


figures = {"millrace": [], "duckdb": []}
for _ in range(runs):
    figures["millrace"].append(millrace())
    figures["duckdb"].append(duckdb())
for name, rows in figures.items():
    cpu, wall, peak = ([row[i] for row in rows] for i in (1, 2, 3))
    print(f"{name:9} cpu {min(cpu):6.2f} / {statistics.median(cpu):6.2f} / {max(cpu):6.2f} s   wall {statistics.median(wall):6.2f} s   peak {statistics.median(peak):6.0f} MiB   {rows[0][0]}")
ratio = statistics.median(row[1] for row in figures["duckdb"]) / statistics.median(row[1] for row in figures["millrace"])
print(f"duckdb / millrace, cpu: {ratio:.2f}")
print("stages: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in figures["millrace"][0][4].items()))
if figures["millrace"][0][0] != figures["duckdb"][0][0]:
    sys.exit(f"the results differ: {figures['millrace'][0][0]} and {figures['duckdb'][0][0]}")
