#!/bin/bash
# make bench: CSV -> clean -> RFM on 4.2 million simulated rows, Millrace beside DuckDB on the same file in one run.
# CPU seconds (user + system of the whole process), wall seconds and peak memory; RUNS times each, in turn.
set -euo pipefail
cd "$(dirname "$0")/../.."
bench=.deps/bench
mkdir -p "$bench"
[ -d "$bench/python/duckdb" ] || python3 -m pip install --quiet --only-binary :all: --target "$bench/python" duckdb==2.0.0
[ -f "$bench/transactions.csv" ] || .build/release/millrace simulate "$bench/transactions.csv" --customers "${CUSTOMERS:-1000000}" --quiet
PYTHONPATH=$bench/python python3 Tests/Benchmarks/compare.py "$bench" "${RUNS:-3}"
