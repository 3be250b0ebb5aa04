#!/bin/bash
# make bench: CSV -> clean -> RFM on 4.2 million simulated rows, Millrace beside DuckDB, Polars, pandas and pyarrow on the same
# file in one run. CPU seconds (user + system of the whole process), wall seconds and peak memory; ROUNDS times each, in turn.
# BENCH_CSV names another file of the same columns, VARIANTS some of: kept streamed gzip clean.
# Then the models of a million customers (models.sh), clusters of them (k-means beside scikit-learn, Ward's tree of 20,000 beside fastcluster,
# and of all of them), and what a stage costs beside five frameworks (overhead.sh). JOBS names some of: rows models clusters overhead.
set -euo pipefail
cd "$(dirname "$0")/../.."
bench=.deps/bench
jobs=${JOBS:-rows models clusters overhead}
wheels="duckdb==2.0.0 polars==2.1.0 pandas==3.1.1 pyarrow==26.0.1 numpy==2.4.6 scikit-learn==1.9.1 fastcluster==1.3.0"
mkdir -p "$bench"
if [ "$(cat "$bench/python/wheels" 2>/dev/null)" != "$wheels" ]; then
  rm -rf "$bench/python"
  python3 -m pip install --quiet --disable-pip-version-check --only-binary :all: --target "$bench/python" $wheels
  echo "$wheels" > "$bench/python/wheels"
fi
if [[ $jobs == *rows* || $jobs == *models* ]]; then
  if [ -n "${BENCH_CSV:-}" ]; then
    ln -sf "$(realpath "$BENCH_CSV")" "$bench/transactions.csv"
  elif [ ! -f "$bench/transactions.csv" ]; then
    .build/release/millrace simulate "$bench/shop.csv" --customers "${CUSTOMERS:-1000000}" --quiet
    python3 Tests/Benchmarks/plain.py "$bench/shop.csv" "$bench/transactions.csv"
    rm "$bench/shop.csv"
  fi
fi
if [[ $jobs == *rows* ]]; then
  [ "$bench/transactions.csv.gz" -nt "$bench/transactions.csv" ] || gzip -6 -c "$bench/transactions.csv" > "$bench/transactions.csv.gz"
  PYTHONPATH=$bench/python python3 Tests/Benchmarks/compare.py "$bench" "${ROUNDS:-3}" ${VARIANTS:-}
fi
if [[ $jobs == *models* ]]; then Tests/Benchmarks/models.sh "$bench"; fi
if [[ $jobs == *clusters* ]]; then
  program=.build/release/cluster-benchmark
  [ -f "$bench/customers.f64" ] || $program make "$bench/customers.f64"
  for _ in $(seq "${ROUNDS:-3}"); do
    $program k-means "$bench/customers.f64"
    PYTHONPATH=$bench/python python3 Tests/Benchmarks/clusters.py k-means "$bench/customers.f64"
    $program mini-batch "$bench/customers.f64"
    OMP_NUM_THREADS=1 PYTHONPATH=$bench/python python3 Tests/Benchmarks/clusters.py mini-batch "$bench/customers.f64"
    $program ward "$bench/customers.f64" 20000
    PYTHONPATH=$bench/python python3 Tests/Benchmarks/clusters.py ward "$bench/customers.f64" 20000
  done
  $program ward "$bench/customers.f64"
  # The way all customers get their tree, on few enough that others can check it; then what micro-clusters would cost.
  $program cut "$bench/customers.f64" 5000 "$bench/cut.i32"
  PYTHONPATH=$bench/python python3 Tests/Benchmarks/clusters.py agreement "$bench/customers.f64" 5000 "$bench/cut.i32"
  $program agreement "$bench/customers.f64"
fi
if [[ $jobs == *overhead* ]]; then Tests/Benchmarks/overhead.sh; fi
