# make demo    build smith and see it work
# make test    all checks, as in CI; installs with apt what they need
# make help    the rest

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
FUZZTIME ?= 10s
PEERS    ?=

LDFLAGS  := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
TARGETS  := linux/amd64 linux/arm64 darwin/arm64 windows/amd64
LINTER   := build/golangci-lint
# The end-to-end tests have a step of their own.
UNIT     = $$(go list ./... | grep -v '^smith/test$$')

.PHONY: help build share docs demo test install format vet lint unit cross e2e fmt fuzz bench clean

help: ## what can be made
	@sed -n 's/^\([a-z0-9]*\):.*## /  make \1\t/p' Makefile | expand -t 16

build: ## build/smith
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o build/smith ./cmd/smith

share: ## build/share: man pages and completions
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 0) go run ./cmd/manual build/share

docs: ## docs/commands.md from the commands
	go run ./cmd/manual -markdown docs/commands.md

demo: build ## an image of this machine's cat, what is in it and why
	@sh examples/hello/demo.sh build/smith build

test: ## all checks
	@test/install.sh
	@$(MAKE) --no-print-directory format
	@$(MAKE) --no-print-directory vet
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory cross
	@$(MAKE) --no-print-directory e2e

install: ## with apt, the tools that the tests need
	@test/install.sh

format: $(LINTER) ## check the format
	$(LINTER) fmt --diff

vet: ## go vet
	go vet ./...

lint: $(LINTER) ## golangci-lint with .golangci.yml
	$(LINTER) run --allow-parallel-runners ./...

unit: ## unit tests with the race detector
	CGO_ENABLED=1 go test -race $(UNIT)

cross: ## compile and vet for every platform
	@for target in $(TARGETS); do \
		echo "compile and vet for $$target"; \
		export CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/}; \
		go build ./... && go vet ./... || exit 1; \
	done

e2e: build build/crane ## end-to-end tests with the real tools
	SMITH=$(CURDIR)/build/smith go test -count=1 -timeout 20m ./test/...

fmt: $(LINTER) ## format the sources
	$(LINTER) fmt

fuzz: ## each fuzz target for FUZZTIME (10s)
	@grep -rl --include='*_test.go' '^func Fuzz' . | sort | while read -r file; do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
			echo "$$(dirname "$$file") $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "./$$(dirname "$$file")" || exit 1; \
		done; \
	done

bench: build build/crane ## time and memory beside the floor; PEERS='name=command …' runs others too
	PATH=$(CURDIR)/build:$$PATH go run ./bench -smith build/smith -peers '$(PEERS)'

clean: ## remove what was built
	rm -rf build

build/crane: tools/go.mod tools/go.sum
	go build -C tools -o ../$@ github.com/google/go-containerregistry/cmd/crane

$(LINTER): tools/go.mod tools/go.sum
	go build -C tools -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
