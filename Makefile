# make        what can be done here
# make demo   the whole path on this machine, nothing else needed
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMG ?= agent-identity-operator:$(VERSION)
CONTAINER_TOOL ?= docker
KUBECTL ?= kubectl
# How long one test package may take: a cold machine of two cores, race detector on.
TEST_TIMEOUT ?= 20m
# The recorded Okta answers and its OpenAPI; without them the contract tests are skipped.
OKTA_DATA ?= $(abspath $(wildcard ../shared/okta))
export OKTA_DATA

# The race detector needs a C compiler on Linux; a machine without one tests without it.
RACE ?= $(if $(shell command -v $(or $(CC),cc) || command -v gcc || command -v clang),-race)
BUILD := go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)'
ASSETS := assets=$$(hack/kube-assets) && export KUBEBUILDER_ASSETS="$$assets"
HELM := helm=$${HELM:-$$(hack/tool helm)} && export HELM="$$helm"
COLLECTOR := collector=$${OTEL_COLLECTOR:-$$(hack/tool otel-collector)} && export OTEL_COLLECTOR="$$collector"
SBOM := sbom=$$(hack/tool cyclonedx-gomod) && export CYCLONEDX="$$sbom"
# Where a release will be found.
HOMEPAGE ?= https://github.com/agentidentity/agent-identity-operator
IMAGE ?= ghcr.io/agentidentity/agent-identity-operator
FLUX_HEALTH := flux=$${FLUX:-$$(hack/tool flux)} && export FLUX="$$flux"
ARGO_CD := argocd=$${ARGOCD:-$$(hack/tool argocd)} && export ARGOCD="$$argocd"
# What make generate and make docs write. git must agree with it at every commit.
GENERATED := api config/crd/bases config/rbac/role.yaml docs/reference charts/agent-identity-operator/files

##@ Everyday

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN { FS = ":.*## "; print "Usage: make TARGET" } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-zA-Z_-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Run everything on loopback and show it step by step (KEEP=1 leaves it running).
	@$(BUILD) -o bin/demo ./hack/demo
	@$(ASSETS) && KEEP="$(KEEP)" bin/demo

.PHONY: test
test: ## Run all tests on a real API server, with the race detector.
	@$(if $(RACE),,echo 'make test: no C compiler here, so the race detector is off' >&2)
	@$(if $(OKTA_DATA),,echo 'make test: no OKTA_DATA, so what needs the recorded Okta answers is skipped' >&2)
	@$(ASSETS) && $(COLLECTOR) && $(HELM) && $(FLUX_HEALTH) && go test $(RACE) -buildvcs=false -timeout $(TEST_TIMEOUT) -parallel 6 $(TESTFLAGS) ./...
	@go -C hack/alerts test -buildvcs=false ./...

# How long make fuzz runs each target.
FUZZTIME ?= 10s
FUZZPACKAGES ?= ./...
.PHONY: fuzz
fuzz: ## Run every Fuzz* target for FUZZTIME (10s) each.
	@hack/fuzz $(FUZZTIME) $(FUZZPACKAGES)

.PHONY: unit
unit: ## Run the tests that need no API server: the inner loop, well under a minute when warm.
	@go test -buildvcs=false ./api/... ./cmd/... ./internal/...

.PHONY: crash
crash: ## Kill, deafen and stop the operator at every call it makes, and print at how many points (about 4 minutes).
	@$(ASSETS) && go test -buildvcs=false -count=1 -timeout $(TEST_TIMEOUT) -parallel 8 -v -run TestKilledAnywhere $(TESTFLAGS) ./test/story 2>&1 | \
	  grep -v '^=== \|PASS: Test.*/\|^E[0-9]'

.PHONY: soak
soak: ## Kill -9 the real program 140 times while people change things (about 5 minutes; TESTFLAGS=-story.kills-seed=N for other moments).
	@$(ASSETS) && go test -buildvcs=false -count=1 -timeout $(TEST_TIMEOUT) -v -run TestKillNine ./test/story -story.kills=140 $(TESTFLAGS)

.PHONY: soak-audit
soak-audit: ## Kill -9 the real program 100 times while a million events happen, and count what receivers got (about 10 minutes).
	@$(ASSETS) && go test -buildvcs=false -count=1 -timeout 60m -v -run TestAuditKillNine ./test/story -story.audit-events=1000000 -story.audit-kills=100 $(TESTFLAGS)

.PHONY: e2e
e2e: ## See the product on a real cluster (KUBECONFIG, else ../shared/cluster): chart, pods, rotation, kills, quarantine.
	@hack/e2e

.PHONY: gitops
gitops: ## Have Argo CD itself sync, heal and prune on a real API server, and find nothing to fight about (about 4 minutes, and 2 to build it, once).
	@$(ASSETS) && $(ARGO_CD) && go test -buildvcs=false -count=1 -timeout $(TEST_TIMEOUT) -parallel 3 -v $(TESTFLAGS) ./test/gitops

.PHONY: seeded
seeded: ## Plant known bugs, one after another, and show which test catches each (about 5 minutes).
	@go run ./hack/seeded

.PHONY: model
model: ## Play 2,000 random sequences, 500 schedules of late watches and 2,000 pairs of deaths (about 6 minutes on two cores; TESTFLAGS=-model.seed=0 for new ones).
	@go test -buildvcs=false -count=1 -timeout $(TEST_TIMEOUT) -v ./test/model $(TESTFLAGS) 2>&1 | \
	  grep -v '^=== \|draw bit\|draw step\|PASS: Test.*/'

# What make bench-fleet is told: -keys 1000, -only restart,fair, -churn 1h, -profile DIR, ...
BENCHFLAGS ?=
.PHONY: bench
bench: bench-fleet ## Measure on embedded parts, with Okta's published rate limits; no figure fails it (about 35 minutes).
	@$(ASSETS) && go test -buildvcs=false -timeout $(TEST_TIMEOUT) -run '^$$' -bench . -benchtime 1x $(TESTFLAGS) ./test/bench
	@go test -buildvcs=false -run '^$$' -bench Steady ./test/model

.PHONY: bench-fleet
bench-fleet: build ## Measure 10,000 keys, alone, beside others in the org, and behind a queue: calls, times, memory (about 25 minutes).
	@$(BUILD) -o bin/bench ./hack/bench
	@$(ASSETS) && bin/bench $(BENCHFLAGS)

# Which fleets make bench-sizes compares.
SIZES ?= 100,1000,10000
.PHONY: bench-sizes
bench-sizes: build ## Compare fleets of SIZES keys, and show how what they cost grows (about 12 minutes; 50,000 keys take half an hour).
	@$(BUILD) -o bin/bench ./hack/bench
	@$(ASSETS) && bin/bench -sizes $(SIZES) -json bin/bench-sizes.json $(BENCHFLAGS)

.PHONY: bench-peer
bench-peer: build ## Make, look at and change the same 500 keys by a Terraform-compatible program too (PEER_BINARY, PEER_PROVIDER; about 4 minutes).
	@$(BUILD) -o bin/bench ./hack/bench
	@$(ASSETS) && bin/bench -only peer -json bin/bench-peer.json $(BENCHFLAGS)

.PHONY: bench-audit
bench-audit: ## Measure how many audit events a second one core moves, and how late they are at the log's rate limit (about 3 minutes).
	@go test -buildvcs=false -run '^$$' -bench BenchmarkAudit -benchtime 1x $(TESTFLAGS) ./test/bench

.PHONY: verify
verify: ## Check format, lint, and that everything generated is up to date.
	@hack/verify $(GENERATED)

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities that the programs can reach (GOVULNDB=file:///... for a database of your own).
	@hack/vulncheck

.PHONY: build
build: ## Build bin/manager, bin/kubectl-agentid and bin/oktasim.
	@echo 'building bin/manager, bin/kubectl-agentid and bin/oktasim' >&2
	@CGO_ENABLED=0 $(BUILD) -o bin/ ./cmd/manager ./cmd/kubectl-agentid ./cmd/oktasim

##@ Code

.PHONY: fmt
fmt: ## Format all Go files.
	@tool=$$(hack/tool golangci-lint) && "$$tool" fmt ./...

.PHONY: lint
lint: ## Run all linters, the borders between rooms among them.
	@tool=$$(hack/tool golangci-lint) && "$$tool" run ./... && cd hack/release && "$$tool" run ./...

.PHONY: generate
generate: ## Generate deep copies, CRDs and the operator's RBAC role from markers.
	@tool=$$(hack/tool controller-gen) && \
	  "$$tool" object paths=./api/... && \
	  "$$tool" crd paths=./api/v1alpha1/... output:crd:dir=config/crd/bases && \
	  "$$tool" rbac:roleName=agent-identity-operator paths=./internal/... output:rbac:dir=config/rbac
	@hack/chart-files

.PHONY: docs
docs: ## Generate docs/reference/api.md from the API's comments.
	@tool=$$(hack/tool crd-ref-docs) && mkdir -p docs/reference && \
	  "$$tool" --config=hack/api-docs.yaml --renderer=markdown --max-depth=20 \
	    --source-path=api/v1alpha1 --output-path=docs/reference/api.md --log-level=WARN

.PHONY: clean
clean: ## Remove what was built here (the cache of tools and kube programs stays).
	@rm -rf bin dist

##@ Release

# Tools are built by the Go that is here, and so are not part of what must be the same everywhere.
.PHONY: release
release: ## Make dist/: programs, image, chart, manifests, SBOMs, krew's manifest (VERSION=v0.1.0; docs/release.md).
	@$(ASSETS) && export KUBECTL="$$assets/kubectl" && $(HELM) && $(SBOM) && export GOTOOLCHAIN=go$$(<.go-version) && \
	  go -C hack/release run . -version '$(VERSION)' -image '$(IMAGE)' -home '$(HOMEPAGE)' -from '$(CURDIR)' -to '$(CURDIR)/dist'

.PHONY: reproducible
reproducible: ## Make a release twice in two directories, compare it byte by byte, and try what it holds (this machine's platform).
	@$(ASSETS) && export KUBECTL="$$assets/kubectl" && $(HELM) && $(SBOM) && krew=$$(hack/tool krew) && \
	  validate=$$(hack/tool validate-krew-manifest) && export KREW="$$krew" VALIDATE_KREW="$$validate" && \
	  go -C hack/release test -buildvcs=false -count=1 -timeout $(TEST_TIMEOUT) $(TESTFLAGS) ./...

##@ Cluster

.PHONY: docker-build
docker-build: ## Build the operator's image (IMG=..., GOARCH=... for another platform).
	@rm -rf bin/image
	@CGO_ENABLED=0 GOOS=linux $(BUILD) -o bin/image/manager ./cmd/manager
	@go -C hack/release run . certificates '$(CURDIR)/bin/image'
	$(CONTAINER_TOOL) build --platform linux/$(shell go env GOARCH) -t $(IMG) -f Dockerfile bin/image

.PHONY: install
install: ## Apply the CRDs to the current cluster.
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: deploy
deploy: ## Apply the operator to the current cluster (IMG=... names its image).
	$(KUBECTL) kustomize config/default | sed 's|image: agent-identity-operator:.*|image: $(IMG)|' | \
	  $(KUBECTL) apply --server-side -f -

# The order matters: only a running operator can clean up in Okta and let the
# objects go. Without it their finalizers would hold the CRDs for ever. It holds mass
# deletion until each key is confirmed, which is what this target says first.
.PHONY: uninstall
uninstall: ## Delete every key, policy and role (in Okta too), then the operator and the CRDs.
	KUBECTL='$(KUBECTL)' hack/confirm-deletion
	$(KUBECTL) delete --all --all-namespaces --ignore-not-found --timeout=10m agentapikeys.agentidentity.dev
	$(KUBECTL) delete --all --all-namespaces --ignore-not-found --timeout=10m accesspolicies.agentidentity.dev
	$(KUBECTL) delete --all --all-namespaces --ignore-not-found --timeout=10m aiagentroles.agentidentity.dev
	$(KUBECTL) delete --all --all-namespaces --ignore-not-found --timeout=10m auditsinks.agentidentity.dev
	$(KUBECTL) delete --ignore-not-found -k config/default
