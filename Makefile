# Hotline's commands. Each check that CI makes is a recipe here, under the same name.
#
# Variables: ARGS     arguments for `hotline demo`, for instance ARGS=--once
#            PROFILE  cargo profile of `make demo` (release)
#            TARGET   one fuzz target for `make fuzz` (all)
#            FOR      seconds that `make fuzz` runs each target (60)

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# One recipe at a time: cargo uses all cores by itself, and the tests measure time.
.NOTPARALLEL:

PROFILE ?= release
HOTLINE = $(or $(CARGO_TARGET_DIR),target)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/hotline
ARGS ?=
TARGET ?=
FOR ?= 60
FUZZ_SECONDS ?= 5

# Tools that `make tools` builds when the machine has none (or older ones) lie here.
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

TOOLCHAIN := $(shell scripts/toolchain)
ifneq ($(TOOLCHAIN),)
export RUSTUP_TOOLCHAIN := $(TOOLCHAIN)
endif

# `web` stands before all that builds the program, which embeds the handset.
STEPS := tree fmt deny web lint web-lint doc unit web-unit doctest wasm-test web-e2e fuzz-brief readme

.PHONY: help demo test setup tools build $(STEPS) web-arranged web-console web-habits web-figures fuzz bench vectors clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: build ## Start two offices on this machine and let them call each other (ARGS=--once: then stop)
	@$(HOTLINE) demo $(ARGS)

test: setup tools ## Everything that CI checks, step by step; the steps are the recipes below
	@scripts/run-steps $(STEPS)

setup: ## Install what the build needs: C compiler, cmake, pkg-config, ALSA headers (with apt)
	@scripts/setup system

tools: ## Install what the checks need: cargo-nextest and cargo-deny, into target/tools
	@scripts/setup tools

build: setup web
	@echo "Building hotline ($(PROFILE)). The first time takes some minutes."
	@cargo build --locked --profile $(PROFILE) --workspace --bin hotline

tree: ## Check: file lengths, unfinished work, machines without I/O
	@scripts/check-tree

fmt: ## Check: formatting
	@cargo fmt --all --check
	@cargo fmt --manifest-path fuzz/Cargo.toml --check
	@cargo fmt --manifest-path apps/web/Cargo.toml --all --check

deny: ## Check: licences, banned crates, sources
	@cargo deny --locked --workspace --all-features check bans licenses sources
	@cargo deny --locked --workspace --manifest-path apps/web/Cargo.toml check bans licenses sources

web: ## Check: the handset in a browser builds, and is small enough; into apps/web/dist
	@scripts/web build

lint: ## Check: clippy, warnings denied
	@cargo clippy --locked --workspace --all-targets -- -D warnings

web-lint: ## Check: clippy over the handset in a browser, warnings denied
	@scripts/web lint

doc: ## Check: rustdoc, warnings denied
	@RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items

unit: ## Check: all tests but the doctests
	@mkdir -p target && cargo nextest run --locked --workspace --profile ci 2>&1 | tee target/nextest.log

web-unit: ## Check: the tests beside the code of the handset in a browser
	@scripts/web unit

doctest: ## Check: examples in the documentation
	@cargo test --locked --workspace --doc --quiet

wasm-test: ## Check: the tests of the handset's crates, compiled to WebAssembly
	@scripts/web test

web-e2e: ## Check: the handset in a real browser
	@scripts/web e2e call keep native demo

web-arranged: web ## Check by hand: a whole arranged call in real browsers (two minutes of two quiet processors)
	@PROFILE=$(PROFILE) scripts/web e2e arranged

web-habits: web ## Check by hand: camera, notification, wake lock, a call by keys alone, staff, in a real browser
	@PROFILE=$(PROFILE) scripts/web e2e habits staff

web-console: web ## Check by hand: the console of a switchboard position in a real browser
	@PROFILE=$(PROFILE) scripts/web e2e console

web-figures: web ## Measure: the web handset in a real browser, beside WebRTC
	@PROFILE=$(PROFILE) scripts/web e2e figures

fuzz-brief: ## Check: each fuzz target for FUZZ_SECONDS (5)
	@scripts/fuzz brief "$(FUZZ_SECONDS)"

readme: ## Check: the commands in README.md marked `sh run`
	@scripts/readme-commands README.md

fuzz: setup ## Fuzz for longer: TARGET=name FOR=600
	@scripts/fuzz long "$(FOR)" "$(TARGET)"

bench: build ## Measure: exchange against plain UDP, speech under loss, criterion benches
	@$(HOTLINE) bench exchange --lines 200 --seconds 10
	@$(HOTLINE) bench speech
	@cargo bench --locked --workspace

vectors: setup ## Write docs/vectors/ anew from the code (read the difference before you commit it)
	@HOTLINE_WRITE_VECTORS=1 cargo test --locked --workspace --quiet vectors
	@git status --short docs/vectors

clean: ## Remove everything built, except the tools
	@if [ -d target ]; then find target -mindepth 1 -maxdepth 1 ! -name tools ! -name web-toolchain -exec rm -rf {} +; fi
	@rm -rf fuzz/artifacts apps/web/dist apps/web/target apps/web/tests/node_modules
