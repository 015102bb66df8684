# make demo    build smith and see it work
# make test    install what the tests need (apt), then run them
# make help    the rest
# Needs Go 1.26 or newer.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
PREFIX   ?= /usr/local
DESTDIR  ?=
FUZZTIME ?= 10s
PEERS    ?=

LDFLAGS  := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
TARGETS  := linux/amd64 linux/arm64 darwin/arm64 windows/amd64
LINTER   := build/golangci-lint
RUNNER   := build/gotestsum
# Server packages are unpacked here by test/install.sh, not installed: their
# installation would start services.
TOOLS    := $(CURDIR)/build/tools
TESTPATH := $(CURDIR)/build:$(TOOLS)/usr/bin:$(TOOLS)/usr/sbin:$$PATH
# One line for each package, the output of failed tests only, and at the end
# what was skipped and why. No time limit: a loaded machine is slow, not wrong.
RUN      := PATH=$(TESTPATH) $(RUNNER) --format pkgname-and-test-fails --format-hide-empty-pkg --
# The end-to-end tests run on their own, after the unit tests.
UNIT     = $$(go list ./... | grep -v '^smith/test$$')

.PHONY: census help build share docs demo test check install tools format vet lint unit short cross e2e fmt fuzz bench clean go-version

help: ## list the targets
	@sed -n 's/^\([a-z0-9]*\):.*## /  make \1\t/p' Makefile | expand -t 16

go-version:
	@version=$$(go env GOVERSION 2>/dev/null | sed 's/^go//'); \
	case "$$version" in \
	"") echo "smith needs Go 1.26 or newer, and go was not found in PATH" >&2; exit 1;; \
	0.*|1.[0-9]|1.[0-9].*|1.1[0-9]*|1.2[0-5]*) echo "smith needs Go 1.26 or newer; this is Go $$version" >&2; exit 1;; \
	esac

build: go-version ## build/smith
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o build/smith ./cmd/smith

share: go-version ## build/share: man pages and completions
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 0) go run ./cmd/manual build/share

install: build share ## install smith, its man pages and completions below PREFIX (/usr/local)
	install -D -m 0755 build/smith '$(DESTDIR)$(PREFIX)/bin/smith'
	cd build/share && find . -type f -exec install -D -m 0644 '{}' '$(DESTDIR)$(PREFIX)/share/{}' ';'

docs: ## docs/commands.md from the commands
	go run ./cmd/manual -markdown docs/commands.md

demo: build ## build an image of this machine's cat, list it, explain it, run it
	@sh examples/hello/demo.sh build/smith build

test: go-version tools unit e2e ## install what the tests need (apt), then run them

check: go-version format vet lint cross ## format, vet, lint, and compile for every platform

tools: ## install with apt what the tests need
	@test/install.sh $(TOOLS)

format: $(LINTER) ## check the format
	$(LINTER) fmt --diff

vet: ## go vet
	go vet ./...

lint: $(LINTER) ## golangci-lint with .golangci.yml
	$(LINTER) run --allow-parallel-runners --timeout 0 ./...

short: go-version ## the tests that need nothing installed, in about two minutes
	go test -short $(UNIT)

unit: $(RUNNER) ## unit tests with the race detector
	CGO_ENABLED=1 $(RUN) -race -timeout 0 $(UNIT)

cross: ## compile and vet for every platform
	@for target in $(TARGETS); do \
		echo "compile and vet for $$target"; \
		export CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/}; \
		go build ./... && go vet ./... || exit 1; \
	done

e2e: build build/crane $(RUNNER) ## end-to-end tests with the real tools
	@echo "end-to-end tests; the first run makes images to read from Debian packages (some minutes, 2 GB in the cache directory)"
	SMITH=$(CURDIR)/build/smith $(RUN) -count=1 -timeout 0 ./test/...

census: build ## images of packages that people put into containers: do they work at the first try?
	SMITH=$(CURDIR)/build/smith CENSUS=all go test -count=1 -timeout 0 -v -run TestCensus ./test/census
	@if [ -x ../shared/census/run.py ]; then SMITH=$(CURDIR)/build/smith CENSUS= ../shared/census/run.py; fi

fmt: $(LINTER) ## format the sources
	$(LINTER) fmt

fuzz: ## run each fuzz target for FUZZTIME (10s); new inputs stay in Go's cache for the next run
	@grep -rl --include='*_test.go' '^func Fuzz' . | sort | while read -r file; do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
			echo "$$(dirname "$$file") $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "./$$(dirname "$$file")" || exit 1; \
		done; \
	done

bench: build build/crane ## time and memory beside the floor; PEERS='name=command …' runs others too
	PATH=$(TESTPATH) go run ./bench -smith build/smith -peers '$(PEERS)'

clean: ## remove what was built
	rm -rf build

build/crane: tools/go.mod tools/go.sum
	go build -C tools -o ../$@ github.com/google/go-containerregistry/cmd/crane

$(RUNNER): tools/go.mod tools/go.sum
	go build -C tools -o ../$@ gotest.tools/gotestsum

$(LINTER): tools/go.mod tools/go.sum
	@echo "building golangci-lint: 3 minutes on two idle cores, 300 MB of modules; once"
	go build -C tools -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
