#!/bin/bash
# The part of make bench about models: BG/NBD, Pareto/NBD and Gamma-Gamma fitted to the customers of the benchmark's file and all of
# them scored, beside lifetimes and a scipy script on the same numbers in one run. CPU seconds; log-likelihoods are compared.
# ROUNDS times each, in turn. usage: models.sh FOLDER, which holds transactions.csv
set -euo pipefail
cd "$(dirname "$0")/../.."
bench=$(realpath "$1")
# lifetimes is no longer maintained: it wants the packages of its time.
wheels="lifetimes==0.11.3 numpy==1.26.4 pandas==1.5.3 scipy==1.11.4 pyarrow==17.0.0"
if [ "$(cat "$bench/lifetimes/wheels" 2>/dev/null)" != "$wheels" ]; then
  rm -rf "$bench/lifetimes"
  python3 -m pip install --quiet --disable-pip-version-check --target "$bench/lifetimes" $wheels
  echo "$wheels" > "$bench/lifetimes/wheels"
fi
program=$(swift build -c release -Xswiftc -enable-testing --show-bin-path)/model-benchmark
PYTHONPATH=$bench/lifetimes python3 Tests/Benchmarks/models_compare.py "$bench" "$program" "${ROUNDS:-3}"
