#!/bin/bash
# make bench: CSV -> clean -> RFM on 4.2 million simulated rows, Millrace beside DuckDB, Polars, pandas and pyarrow on the same
# file in one run. CPU seconds (user + system of the whole process), wall seconds and peak memory; ROUNDS times each, in turn.
# BENCH_CSV names another file of the same columns, VARIANTS some of: kept streamed gzip clean. Then the models, with MODELS=only
# nothing else: see models.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
bench=.deps/bench
wheels="duckdb==2.0.0 polars==2.1.0 pandas==3.1.1 pyarrow==26.0.1 numpy==2.4.6"
mkdir -p "$bench"
if [ "$(cat "$bench/python/wheels" 2>/dev/null)" != "$wheels" ]; then
  rm -rf "$bench/python"
  python3 -m pip install --quiet --disable-pip-version-check --only-binary :all: --target "$bench/python" $wheels
  echo "$wheels" > "$bench/python/wheels"
fi
if [ -n "${BENCH_CSV:-}" ]; then
  ln -sf "$(realpath "$BENCH_CSV")" "$bench/transactions.csv"
elif [ ! -f "$bench/transactions.csv" ]; then
  .build/release/millrace simulate "$bench/shop.csv" --customers "${CUSTOMERS:-1000000}" --quiet
  python3 Tests/Benchmarks/plain.py "$bench/shop.csv" "$bench/transactions.csv"
  rm "$bench/shop.csv"
fi
[ "$bench/transactions.csv.gz" -nt "$bench/transactions.csv" ] || gzip -6 -c "$bench/transactions.csv" > "$bench/transactions.csv.gz"
[ "${MODELS:-}" = only ] || PYTHONPATH=$bench/python python3 Tests/Benchmarks/compare.py "$bench" "${ROUNDS:-3}" ${VARIANTS:-}
Tests/Benchmarks/models.sh "$bench"
