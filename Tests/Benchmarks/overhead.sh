#!/bin/bash
# make bench, its second half: what a stage costs that does next to nothing, beside Luigi, Hamilton, DVC, Snakemake and Dagster on the same graphs
# (overhead.py). Each framework has a folder of packages of its own below .deps/bench/frameworks. SCALE=10 takes a tenth of the large graphs.
set -euo pipefail
cd "$(dirname "$0")/../.."
shared=$(realpath -m "${MILLRACE_SHARED:-../shared}/bench/peers/frameworks")
pythons=.deps/bench/frameworks
mkdir -p "$pythons"
if [[ -d $shared ]]; then
  for wheel in luigi==3.8.1 sf-hamilton==1.90.0 dvc==3.67.1 snakemake==9.27.1 dagster==1.13.29; do
    name=${wheel%%==*}
    if [[ $(cat "$pythons/$name/wheel" 2>/dev/null) == "$wheel" ]]; then continue; fi
    rm -rf "$pythons/$name"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target "$pythons/$name" "$wheel"
    echo "$wheel" >"$pythons/$name/wheel"
  done
fi
python3 Tests/Benchmarks/overhead.py "${TMPDIR:-/tmp}/millrace-overhead-$$" "$shared" "$pythons" "${SCALE:-1}"
rm -rf "${TMPDIR:-/tmp}/millrace-overhead-$$"
