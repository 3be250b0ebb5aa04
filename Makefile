# make            builds
# make help       lists what there is

export PKG_CONFIG_PATH := $(CURDIR)/.deps/pkgconfig$(if $(PKG_CONFIG_PATH),:$(PKG_CONFIG_PATH))

# One set of flags for build and test, so that both share .build.
flags := -c release -Xswiftc -enable-testing --explicit-target-dependency-import-check error

.PHONY: build setup run tests test test-more test-faults bench docs clean help

build: setup ## compile everything, optimized
	@.ci/link-libraries "$$(swift build $(flags) --show-bin-path)"
	swift build $(flags)

setup: ## fetch Apache Arrow and the chart renderer into .deps (quick when they are there)
	@.ci/setup

run: build ## run pipelines/quickstart.json on data that Millrace makes itself
	.build/release/millrace run pipelines/quickstart.json

# Not by `swift test` alone: that compiles every module once more, with a flag that is there already.
tests: build
	swift build --build-tests $(flags)

test: tests ## run all tests
	swift test --skip-build $(flags)

test-more: tests ## runs that are killed, tests under the address and thread sanitizers, about 17 minutes
	.ci/test-more

test-faults: build ## kills, failing system calls, damaged files, crowds, small disks; FAULTS=--long for all of it
	Tests/Faults/run $(FAULTS)

bench: build ## measure
	Tests/Benchmarks/run.sh

docs: build ## make docs/stages.md and docs/pipeline.schema.json anew
	.build/release/millrace docs docs

clean: ## forget what was built; artifacts and .deps stay
	rm -rf .build .build-asan .build-tsan .build-fuzz

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
