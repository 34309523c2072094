# Thin names over go commands. `make` alone lists them.

GO ?= go
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.13.1
FUZZTIME ?= 10s
DEMO_DIR ?= bin/demo

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

test: ## run every test
	@$(GO) test -timeout 20m ./...

race: ## run every test under the race detector
	@$(GO) test -race $(RACEFLAGS) -timeout 40m ./...

lint: ## go vet and golangci-lint (built on first use)
	@$(GO) vet ./...
	@$(GO) run $(GOLANGCI) run ./...

fuzz: ## fuzz every target for FUZZTIME each
	@.ci/fuzz $(FUZZTIME)

bench: ## the measures of the contract, as ratios and counts
	@$(GO) test -run '^$$' -bench . -benchmem ./...

torture: ## kill a launch of thirty stacks at every call, before and after it, and launch again
	@DEPLOYER_TORTURE=1 $(GO) test -run '^TestTorture$$' -parallel 8 -timeout 60m -v ./cmd/deployer | grep -vE '^=== |^    --- PASS'

cover: ## coverage by function, in bin/coverage.html
	@mkdir -p bin
	@$(GO) test -coverpkg=./... -coverprofile=bin/coverage.out ./... && $(GO) tool cover -html=bin/coverage.out -o bin/coverage.html
	@$(GO) tool cover -func=bin/coverage.out | tail -1

.PHONY: help build demo test race lint fuzz bench torture cover
