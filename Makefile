# Tidepool's targets; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Brotli at its best level takes minutes for kubectl's WebAssembly; all but
# releases and benchmarks do with less. `make build RELEASE=1` is for those.
WASM_FLAGS := $(if $(RELEASE),,-fast)
GO_TEST := go test -timeout 15m
SERVE_FLAGS ?=

.PHONY: help run build deps generate wasm web test test-long bench lint fmt check-generated clean

help: ## Print what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Set everything up and open the playground at the printed URL
	bin/tidepool serve $(SERVE_FLAGS)

build: web ## Build bin/tidepool with the website inside, and bin/kubectl
	go build -trimpath -o bin/tidepool ./cmd/tidepool
	go build -trimpath -o bin/kubectl ./test/kubectl

deps: web/node_modules/.package-lock.json ## Install the npm packages that the lock file pins

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

generate: ## Generate code: templ pages, OpenAPI documents
	go tool templ generate -path web -log-level warn
	go generate ./engine/... ./server/... ./lessons/...

wasm: ## Build the engine and kubectl for the browser, with their compressed forms
	go run ./wasm/build $(WASM_FLAGS) engine kubectl

web: deps wasm ## Bundle the page into web/dist
	go run ./web/build

test: build check-generated lint ## Set everything up and run all tests
	@scripts/setup-tests
	$(GO_TEST) ./...
	cd web && npm test

# Fuzz targets, as folder:name; each runs for a minute.
FUZZ := engine/sim/image/shell:FuzzScripts engine/api/validation:FuzzTextIsCheckedAlike \
	engine/api/authentication/jwt:FuzzVerify engine/api/codec:FuzzDecode \
	engine/api/patch:FuzzPatch engine/api/patch:FuzzConfiguration \
	engine/api/endpoints:FuzzRequest engine/api/endpoints:FuzzSelectors engine/api/endpoints:FuzzApply

# Helm's tests are here and not in test, because Helm takes minutes to build from
# cold (test/serve/clients_test.go).
test-long: build ## Run the slow sweeps: race detector, Helm, fuzzing, many seeds
	$(GO_TEST) -race ./engine/... ./server/... ./lessons/...
	cd test/clients && go vet ./...
	TIDEPOOL_LONG=1 $(GO_TEST) -run TestClients ./test/serve
	for target in $(FUZZ); do go test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime 1m ./$${target%:*}; done
	TIDEPOOL_SEEDS=50 $(GO_TEST) -run SameSeed ./test/determinism

bench: ## Measure what the budgets promise; writes bench/latest.json
	$(MAKE) build RELEASE=1
	@scripts/setup-tests
	go run ./test/bench

lint: deps ## Vet, staticcheck, gofmt and the TypeScript compiler
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "not gofmt'ed (make fmt): $$unformatted"; exit 1; fi
	go vet ./...
	go run ./wasm/build -modules
	GOOS=js GOARCH=wasm go vet -modfile=build/engine.mod ./wasm/engine
	GOOS=js GOARCH=wasm go vet -modfile=build/kubectl.mod ./wasm/kubectl/...
	go tool staticcheck ./...
	cd web && npx tsc --noEmit

fmt: ## Format Go and templ sources
	gofmt -w $$(git ls-files '*.go')
	go tool templ fmt -log-level warn web

check-generated: ## Fail where generated code is stale
	@before=$$(git status --porcelain | sha1sum; git diff | sha1sum); \
	$(MAKE) generate; \
	after=$$(git status --porcelain | sha1sum; git diff | sha1sum); \
	if [ "$$before" != "$$after" ]; then echo "generated code was stale: commit what 'make generate' changed"; git status --short; exit 1; fi

clean: ## Remove everything that was built
	rm -rf bin build web/node_modules
	find web/dist -mindepth 1 ! -name .gitkeep -delete
