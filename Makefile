# Thin names over go commands. `make` alone lists them.

GO ?= go
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.13.1
FUZZTIME ?= 10s
DEMO_DIR ?= bin/demo
COUNT ?= 1
MEASURE ?= short
# Of torture: how long the random part goes on, its first case, the stacks of the
# launch that is killed at every call first (0 for none), and the one case to run again.
# Breaks have a time of their own, before that. Every call and step is gone through
# however long that takes, but with TORTURE_PART=-part.
TORTURE_TIME ?= 10m
TORTURE_BREAKS ?= 10m
TORTURE_SEED ?= 1
TORTURE_STACKS ?= 30
TORTURE_PART ?=
TORTURE_CASE ?=
RACE ?= -race
# Properties draw the same cases in every run of the tests, so that a commit passes or
# does not; `make draw` draws others.
export RAPID_SEED ?= 1
CHECKS ?= 1000

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/deployer
	@$(GO) build -trimpath -tags urfave_cli_no_docs -o bin/deployer ./cmd/deployer

demo: build ## bring up a whole environment in the embedded sandbox
	@rm -rf $(DEMO_DIR)
	@bin/deployer init $(DEMO_DIR)
	@bin/deployer --sandbox -C $(DEMO_DIR) launch dev -y
	@bin/deployer --sandbox -C $(DEMO_DIR) status dev
	@echo
	@echo "Again: nothing to do."
	@bin/deployer --sandbox -C $(DEMO_DIR) launch dev -y
	@echo
	@echo "It is yours: cd $(DEMO_DIR) and try ../deployer --sandbox plan prod"

demo-break: build ## break that environment on purpose, and get it back: about a minute
	@rm -rf $(DEMO_DIR)-break
	@bin/deployer init $(DEMO_DIR)-break >/dev/null 2>&1
	@bin/deployer --sandbox -C $(DEMO_DIR)-break launch dev -y
	@echo; echo "\$$ deployer break plan dev/network --out break.json > plan.txt"
	@bin/deployer --sandbox -C $(DEMO_DIR)-break break plan dev/network --out $(DEMO_DIR)-break/break.json > $(DEMO_DIR)-break/plan.txt
	@echo; echo "\$$ deployer break run --plan break.json --digest ... --detach"
	@bin/deployer --sandbox -C $(DEMO_DIR)-break break run --plan $(DEMO_DIR)-break/break.json --detach \
		--digest $$(sed -n 's/^  "digest": "\(.*\)",$$/\1/p' $(DEMO_DIR)-break/break.json)
	@echo; echo "\$$ deployer recover -y"
	@bin/deployer --sandbox -C $(DEMO_DIR)-break recover -y
	@echo; echo "\$$ deployer gameday report --out report.html"
	@bin/deployer --sandbox -C $(DEMO_DIR)-break gameday report --out $(DEMO_DIR)-break/report.html
	@echo; echo "Read it: $(DEMO_DIR)-break/report.html"
	@echo "Now by hand: cd $(DEMO_DIR)-break, and ../deployer --sandbox break dev/network"

# Most of the scripts wait more than they work: six go side by side, however few the cores.
test: ## run every test
	@$(GO) test -parallel 6 -timeout 20m ./...

# Programs under the race detector wait a second before they end; there are a thousand of them.
race: ## run every test under the race detector
	@GORACE=atexit_sleep_ms=20 $(GO) test -race $(RACEFLAGS) -parallel 6 -timeout 40m ./...

draw: ## check every property with CHECKS cases that were not drawn before (RAPID_SEED=N draws them again)
	@RAPID_SEED=$(if $(filter-out 1,$(RAPID_SEED)),$(RAPID_SEED),0) RAPID_CHECKS=$(CHECKS) $(GO) test -count=1 -timeout 0 -run "^($$(\
		grep -rl 'rapid\.Check(' --include='*_test.go' . | xargs awk '/^func Test/{split($$2, t, "("); name = t[1]} /rapid\.Check\(/{print name}' | sort -u | paste -sd '|' -))$$" \
		$$(grep -rl 'rapid\.Check(' --include='*_test.go' . | xargs -n1 dirname | sort -u)

lint: ## go vet and golangci-lint (built on first use)
	@$(GO) vet ./...
	@$(GO) run $(GOLANGCI) run ./...

fuzz: ## fuzz every target for FUZZTIME each
	@.ci/fuzz $(FUZZTIME)

# The tests that measure and torture, as a program of their own: what they print is shown as it comes.
trial = mkdir -p bin && $(GO) test $(2) -c -o bin/$(1).test ./internal/trial && cd internal/trial && ../../bin/$(1).test -test.timeout 0

bench: ## every measure against its bar, in bin/bench.json, and Go's benchmarks, in bin/bench.txt; fails where a bar is missed (half an hour)
	@($(call trial,bench) -test.run '^TestBench$$' -measure full -out ../../bin/bench.json); met=$$?; \
	$(GO) test -run '^$$' -bench . -benchmem -count $(COUNT) -timeout 60m ./... >bin/bench.txt || { cat bin/bench.txt; exit 1; }; \
	grep ^Benchmark bin/bench.txt; exit $$met

bench-check: ## compare counts and ratios with the committed ones, shortly (a minute or two)
	@$(call trial,bench) -test.run '^TestBench$$' -measure $(MEASURE) -out ../../bin/bench-check.json

bench-baseline: ## take new counts and ratios to compare with; MEASURE=full for all of them
	@$(call trial,bench) -test.run '^TestBench$$' -measure $(MEASURE) -update

profile: ## processor and memory of a launch of 1,000 stacks and of loading 5,000, in bin/*.prof
	@$(call trial,bench) -test.run '^TestProfile$$' -profile ../../bin

torture: ## kill -9 at every call of every operation, then at random (TORTURE_TIME=10m _BREAKS=10m _SEED=1 _STACKS=30 _CASE='op=…' _PART=-part|-steps, RACE=-race)
	@$(call trial,torture,$(RACE)) -test.run '^TestTorture$$' -torture $(TORTURE_TIME) -breaks $(TORTURE_BREAKS) -seed $(TORTURE_SEED) -stacks $(TORTURE_STACKS) $(TORTURE_PART) -case '$(TORTURE_CASE)' -out ../../bin/torture.json

cover: ## coverage by function, in bin/coverage.html
	@mkdir -p bin
	@$(GO) test -coverpkg=./... -coverprofile=bin/coverage.out ./... && $(GO) tool cover -html=bin/coverage.out -o bin/coverage.html
	@$(GO) tool cover -func=bin/coverage.out | tail -1

.PHONY: help build demo demo-break test race draw lint fuzz bench bench-check bench-baseline profile torture cover
