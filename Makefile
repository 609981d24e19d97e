# scorefn: "make help" lists what can be made.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

ADDR ?= 127.0.0.1:8080
ARCH ?= amd64
LDFLAGS := -s -w
TOOL := go tool -modfile=.ci/tools.mod
PROGRAMS := bin/scorefn bin/bootstrap bin/handler bin/server

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-zA-Z0-9_%-]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: setup bin/scorefn ## set up, score the bundled sample, serve it at ADDR (127.0.0.1:8080)
	@exec bin/scorefn serve --addr $(ADDR) --sample

.PHONY: test
test: setup ## set up, every test
	go test ./...

.PHONY: check
check: setup ## what CI checks besides: formatting, modules, vet, linters, race detector
	@.ci/check

.PHONY: build
build: $(PROGRAMS) ## bin/scorefn and the programs of the platforms: bootstrap, handler, server

.PHONY: setup
setup: bin/scorefn ## fetch the ONNX Runtime library into lib/, once; ONNXRUNTIME_LIB=FILE uses yours instead
	@bin/scorefn setup

.PHONY: lint fmt
lint: ## linters alone
	$(TOOL) golangci-lint run
fmt: ## format the code
	$(TOOL) gofumpt -w $$(git ls-files '*.go')

.PHONY: fuzz conformance
fuzz: setup ## every fuzz target for FUZZTIME (10s)
	@.ci/fuzz
conformance: setup ## the ONNX backend suite through the HTTP handler, bit for bit
	@.ci/conformance

e2e-%: setup ## a platform's whole loop on this machine, from an object to its score: make e2e-gcs, e2e-azure
	@.ci/$@

.PHONY: bench bench-compare
bench: setup ## the Go benchmarks; "bin/scorefn bench" measures everything against a C program
	go test -run '^$$' -bench . -benchmem ./...
bench-compare: setup ## the benchmarks of the stages against local/bench/baseline.txt
	@mkdir -p dist && go test -run '^$$' -bench . -count 10 ./local/bench | tee dist/bench.txt && $(TOOL) benchstat local/bench/baseline.txt dist/bench.txt

.PHONY: build-ScoreFunction build-OnnxRuntimeLayer
build-ScoreFunction: bin/scorefn ## what "sam build" calls for the function; ARCH=arm64 for the other architecture
	@bin/scorefn package --arch $(ARCH) --part function --out $(ARTIFACTS_DIR)/ lambda

build-OnnxRuntimeLayer: bin/scorefn ## what "sam build" calls for the layer
	@bin/scorefn package --arch $(ARCH) --part layer --out $(ARTIFACTS_DIR)/ lambda

.PHONY: clean
clean: ## remove what was built; lib/ stays
	rm -rf bin dist

# Go knows best what has to be built again.
.PHONY: $(PROGRAMS)
bin/scorefn: PACKAGE := ./local
bin/bootstrap: PACKAGE := ./adapters/lambda/bootstrap
bin/bootstrap: TAGS := -tags lambda.norpc
bin/handler: PACKAGE := ./adapters/azure/handler
bin/server: PACKAGE := ./adapters/cloudfunctions/server
$(PROGRAMS):
	@.ci/need go "Go 1.26 or later: https://go.dev/dl" && .ci/need "$${CC:-gcc}" "a C compiler: apt-get install gcc, or xcode-select --install"
	@echo "build $@" >&2
	@CGO_ENABLED=1 go build -trimpath -ldflags '$(LDFLAGS)' $(TAGS) -o $@ $(PACKAGE)
