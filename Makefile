# Tributary: `make` or `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help

GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
ACTIONS  := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
OAPI     := github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2
LICENCES := github.com/google/go-licenses@v1.6.0
VULN     := golang.org/x/vuln/cmd/govulncheck@v1.9.0
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X github.com/tributaryhq/tributary/pkg/run.Version=$(VERSION)
FUZZTIME ?= 60s

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

.PHONY: run
run: bin/tributary ## build and start everything in one process, with a demo tenant, on http://localhost:8080
	@./bin/tributary $(ARGS)

.PHONY: bin/tributary
bin/tributary:
	@mkdir -p bin
	@cd services && go build -trimpath -ldflags '$(LDFLAGS)' -o ../bin/tributary ./standalone/cmd/tributary

.PHONY: build
build: bin/tributary ## build the single binary and one binary per service into bin/
	@for d in services/*/cmd/*/; do n=$$(basename $$d); [ $$n = tributary ] && continue; \
	  (cd services && go build -trimpath -ldflags '$(LDFLAGS)' -o ../bin/tributary-$$n ./$${d#services/}) || exit 1; done

# The race detector links C.
CC_FOUND := $(shell command -v $$(go env CC) 2>/dev/null)
RACE     := $(if $(CC_FOUND),-race)

# Tests sync small files thousands of times, which a disk that others write to answers after seconds: their folders are in memory where
# there are 4 GiB of it.
MEMORY := $(shell d=/dev/shm; [ -w $$d ] && [ "$$(df -Pm $$d | awk 'NR == 2 {print $$4}')" -ge 4096 ] && ! grep -q " $$d [^ ]* [^ ]*noexec" /proc/mounts && echo $$d)
IN_MEMORY := $(if $(MEMORY),d=$$(mktemp -d $(MEMORY)/tributary.XXXXXX) && trap 'rm -rf '$$d EXIT && TMPDIR=$$d)

.PHONY: test
test: ## run all tests, with the race detector if there is a C compiler
	@$(if $(RACE),true,echo "make test: no C compiler ($$(go env CC)): the tests run WITHOUT the race detector; install gcc or clang to run them with it")
	$(IN_MEMORY) $(if $(RACE),,CGO_ENABLED=0 )go test $(RACE) -shuffle=on -timeout 30m $(ARGS) work

TIMES ?= 5
.PHONY: test-busy
test-busy: ## run all tests TIMES=5 times in a row with four busy loops beside them, as on a slow machine
	@for i in 1 2 3 4; do (while :; do :; done) & loops="$$loops $$!"; done; trap 'kill $$loops' EXIT; \
	for n in $$(seq $(TIMES)); do echo "== run $$n of $(TIMES)"; $(MAKE) --no-print-directory test ARGS=-count=1 || exit 1; done

CRASHING := ./standalone/cmd/tributary ./inbox/cmd/inbox ./whatsapp/cmd/whatsapp ./deliverystatus/cmd/deliverystatus ./routing/cmd/routing

.PHONY: bin/crash
bin/crash:
	@mkdir -p bin/crash
	@cd services && go build -trimpath -tags crashpoints -ldflags '$(LDFLAGS)' -o ../bin/crash/ $(CRASHING)

# The tests wait far more than they work: for deadlines, sessions, outages to end. A platform of separate processes has one for each service.
.PHONY: test-e2e
test-e2e: build bin/crash ## drive the built binaries from outside: kill -9 at every step, outages, churn, one process and many
	$(IN_MEMORY) BIN=$(CURDIR)/bin go test -count=1 -parallel 16 -timeout 15m -v ./services/standalone/e2e

.PHONY: test-widget
test-widget: bin/tributary ## test the web chat's widget: its client in Node, its page in Chromium (both must be installed)
	@command -v node >/dev/null || { echo "node 20 or newer is missing: https://nodejs.org, or apt-get install nodejs"; exit 1; }
	@command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null || { echo "chromium is missing: apt-get install chromium"; exit 1; }
	go test -count=1 -run 'InNode|ServedAsOneFile|PagesRunNothingInline' ./services/webchat/session
	BIN=$(CURDIR)/bin go test -count=1 -timeout 3m -run TestTheWidgetInABrowser -v ./services/standalone/e2e

.PHONY: test-servers
test-servers: build ## run the suites on real servers: three Kafka brokers, Redis alone and as a cluster, a MongoDB-wire server
	BIN=$(CURDIR)/bin deploy/servers/test.sh

.PHONY: test-chart
test-chart: ## test the Helm chart without a cluster: rendered, decoded strictly, compared, refused
	cd charts/test && test -z "$$(gofmt -l .)" && GOWORK=off go mod tidy -diff && GOWORK=off go vet . && GOWORK=off go test -count=1 -trimpath ./...

# Linux and root; from cold, Kubernetes is built first. TESTS=Standalone: one of them.
.PHONY: test-cluster
test-cluster: images ## test the chart on a throw-away Kubernetes with real servers beside it: installed, killed, upgraded, removed
	deploy/cluster/check.sh $(TESTS)

.PHONY: chart-docs
chart-docs: ## write the chart's README from its values, and its golden files
	cd charts/test && GOWORK=off go tool helm-docs --chart-search-root=../tributary --sort-values-order=file >/dev/null && GOWORK=off go test -trimpath -run Golden . -update

# A module of its own, outside of the workspace: Prometheus's dependencies would move those of the services.
.PHONY: test-alerts
test-alerts: ## test that every alert fires and does not, that dashboards ask for metrics that exist, and that programs take the files of deploy/compose
	cd deploy/observe && GOWORK=off go test ./...

.PHONY: dashboards
dashboards: ## copy the dashboards of deploy/grafana into the chart
	mkdir -p charts/tributary/files/dashboards && cp deploy/grafana/dashboards/*.json charts/tributary/files/dashboards/

PYTHON ?= python3
.PHONY: test-peers
test-peers: bin/tributary ## run foreign programs against the built binary (Python 3.11 or newer; PEERS=schemathesis: one of them), ~3 min
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Python 3.11 or newer with venv is missing: https://python.org, or apt-get install python3-venv"; exit 1; }
	$(PYTHON) deploy/peers/run.py bin/tributary $(PEERS)

HISTORIES ?= 30
.PHONY: promises
promises: build bin/crash ## test the promises at length (HISTORIES=30) and write what was counted into docs/reference
	@out=$$(mktemp) && trap 'rm -f '$$out EXIT && \
	PROMISES_OUT=$$out HISTORIES=$(HISTORIES) go test -count=1 -timeout 60m -run '_?P[0-9]+_' ./pkg/... ./services/all/... ./services/inbox/... ./services/routing/... ./services/deliverystatus/... && \
	PROMISES_OUT=$$out BIN=$(CURDIR)/bin go test -count=1 -parallel 32 -timeout 30m -run '_?P[0-9]+_' ./services/standalone/e2e && \
	cd services && PROMISES_OUT=$$out VERSION=$(VERSION) go run ./all/reference ../docs/reference

.PHONY: check
check: ## formatting, vet, what comments cite, lint, tidy modules, generated files are current
	@test -z "$$(gofmt -l pkg services deploy)" || { echo "gofmt would change:"; gofmt -l pkg services deploy; exit 1; }
	go vet work
	go test -count=1 -run 'Cite|Citation|TheModels' ./services
	@$(MAKE) --no-print-directory lint
	cd pkg && GOWORK=off go mod tidy -diff
	cd services && GOWORK=off go mod tidy -diff
	cd deploy/bench && GOWORK=off go mod tidy -diff
	cd deploy/images && GOWORK=off go mod tidy -diff
	cd deploy/observe && GOWORK=off go mod tidy -diff
	cd charts/test && GOWORK=off go mod tidy -diff
	@$(MAKE) --no-print-directory generate licences
	@git diff --exit-code --stat -- docs/reference services pkg || { echo "generated files were not current: commit what make generate made"; exit 1; }
	@$(MAKE) --no-print-directory check-web

.PHONY: models
models: ## check the models of the protocols (docs/models) with spin within small bounds; skipped where spin is not installed
	@docs/models/check.sh

.PHONY: lint
lint: ## golangci-lint with .golangci.yml, and actionlint
	go run $(ACTIONS)
	cd pkg && go run $(GOLANGCI) run --allow-serial-runners ./...
	cd services && go run $(GOLANGCI) run --allow-serial-runners ./...
	cd deploy/bench && go run $(GOLANGCI) run --allow-serial-runners ./...
	cd deploy/observe && GOWORK=off go run $(GOLANGCI) run --allow-serial-runners ./...
	cd deploy/images && go run $(GOLANGCI) run --allow-serial-runners ./...
	cd charts/test && GOWORK=off go run $(GOLANGCI) run --allow-serial-runners ./...

VULNDB ?= https://vuln.go.dev
.PHONY: vuln
vuln: ## look for known vulnerabilities in what the binaries call; skipped if the database cannot be reached
	@if curl -sS -m 20 -o /dev/null $(VULNDB)/index/db.json; then \
	  for m in pkg services deploy/bench deploy/images; do echo "== govulncheck $$m"; (cd $$m && GOWORK=off go run $(VULN) -db $(VULNDB) -tags objectstores ./...) || exit 1; done; \
	else echo "make vuln: SKIPPED, the vulnerability database $(VULNDB) cannot be reached"; fi

.PHONY: generate
generate: ## regenerate API bindings, JSON Schemas and reference pages
	@for d in $$(find services -name openapi.yaml -exec dirname {} \;); do \
	  [ -f $$d/api/config.yaml ] && (cd $$d/api && go run $(OAPI) -config config.yaml ../openapi.yaml) || true; done
	cd services && go run ./all/reference ../docs/reference

# The tool asks the network for the URL of every licence, which the list does not show: the proxy that is not there ends that at once.
.PHONY: bin/go-licenses
bin/go-licenses:
	@GOBIN=$(CURDIR)/bin go install $(LICENCES)
	@cd services && GOWORK=off go mod download
LINKED = cd services && GOWORK=off GOFLAGS=-tags=objectstores GOOS=linux CGO_ENABLED=0 HTTPS_PROXY=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9
SHIPPED = $$(for d in */cmd/*/; do echo ./$$d; done)

# A text that the tool is not sure about, and what it says: the three clauses of BSD, with other line breaks.
UNSURE := modernc.org/mathutil
KNOWN  := s,^(\| $(UNSURE) \|.*) Unknown ,\1 BSD-3-Clause ,

.PHONY: licences
licences: bin/go-licenses ## write docs/reference/licences.md: what is linked into the shipped binaries, and its licences
	@err=$$(mktemp) && trap 'rm -f '$$err EXIT && set -o pipefail && { $(LINKED) ../bin/go-licenses report \
	  --ignore github.com/tributaryhq/tributary --template ../deploy/licences/licences.tmpl $(SHIPPED) 2>$$err | \
	  sed -E '$(KNOWN)' > ../docs/reference/licences.md; } || { cat $$err; exit 1; }
	@! grep Unknown docs/reference/licences.md

.PHONY: licence-texts
licence-texts: bin/go-licenses ## save the texts of these licences, and the sources that must go along, into bin/licences
	@rm -rf bin/licences && $(LINKED) ../bin/go-licenses save --ignore github.com/tributaryhq/tributary --ignore $(UNSURE) \
	  --save_path ../bin/licences $(SHIPPED)
	@mkdir -p bin/licences/$(UNSURE) && cp "$$(cd services && GOWORK=off go list -m -f '{{.Dir}}' $(UNSURE))/LICENSE" bin/licences/$(UNSURE)/
	@cp LICENSE services/console/reference/pages/redoc.LICENSE.txt bin/licences/ && cp services/console/dist/licences.md bin/licences/console.md && cp docs/reference/licences.md bin/licences/README.md

WEB := services/console/web
.PHONY: web
web: ## build the console's pages from services/console/web into services/console/dist, which is committed: nothing else needs Node
	@command -v npm >/dev/null || { echo "npm is missing: https://nodejs.org, or apt-get install npm"; exit 1; }
	cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error && npm run --silent api && npm run --silent build

.PHONY: check-web
check-web: ## build the console's pages again, and compare; skipped where Node is missing
	@if ! command -v npm >/dev/null; then echo "make check-web: SKIPPED, there is no npm: the console's pages are not built again"; else \
	  $(MAKE) --no-print-directory web && changed="$$(git status --porcelain -- services/console/dist $(WEB)/src/api/schema.gen.ts)" && \
	  { test -z "$$changed" || { echo "$$changed"; echo "the console's pages were not built from what is here: commit what make web made"; exit 1; }; }; fi

.PHONY: test-web
test-web: bin/tributary ## test the console: its logic in Node, its screens in Chromium on the built binary (both must be installed)
	@command -v npm >/dev/null || { echo "npm is missing: https://nodejs.org, or apt-get install npm"; exit 1; }
	@command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null || { echo "chromium is missing: apt-get install chromium"; exit 1; }
	cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error && BIN=$(CURDIR)/bin npm test --silent

# Of every screen, in both themes and three widths: for docs/guide/console.md, and to be looked at.
.PHONY: screenshots
screenshots: bin/tributary ## take pictures of the console's screens into docs/guide/console (Node and Chromium must be installed)
	cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error && BIN=$(CURDIR)/bin npm run --silent pictures

.PHONY: bench-web
bench-web: bin/tributary ## measure the console in Chromium with ROWS=100000 conversations and EVENTS=72000 messages, write it into docs/reference/performance.md
	cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error && BIN=$(CURDIR)/bin COMMIT=$(VERSION) npm run --silent figures

REDOC := 2.5.4
.PHONY: redoc
redoc: ## fetch the pinned Redoc bundle (npm), which is committed: nothing else needs npm
	@d=$$(mktemp -d) && trap 'rm -rf '$$d EXIT && npm pack --silent --pack-destination $$d redoc@$(REDOC) >/dev/null && tar -xzf $$d/redoc-$(REDOC).tgz -C $$d && \
	cp $$d/package/bundles/redoc.standalone.js services/console/reference/pages/ && { cat $$d/package/LICENSE; printf '\nThe bundle also contains parts under these licences:\n\n'; \
	cat $$d/package/bundles/redoc.standalone.js.LICENSE.txt; } > services/console/reference/pages/redoc.LICENSE.txt

.PHONY: update
update: ## rewrite golden files and generated parts of documents
	go test ./services/... ./pkg/event/... -update

.PHONY: fuzz
fuzz: ## fuzz every decoder and verifier for FUZZTIME (60s) each
	@for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' pkg services); do d=$$(dirname $$f); \
	  for n in $$(grep -ohE '^func (Fuzz[A-Za-z0-9_]*)' $$f | cut -d' ' -f2); do \
	    echo "== $$d $$n"; (cd $$d && go test -run '^$$' -fuzz "^$$n$$" -fuzztime $(FUZZTIME) .) || exit 1; done; done

BENCH_DOC ?= $(CURDIR)/docs/reference/performance.md
.PHONY: bench
bench: build bin/bench ## measure everything, print tables beside the goals, write docs/reference/performance.md (~12 min; BENCH='accept --conns 64': one of it)
	@./bin/bench $(or $(BENCH),all --doc $(BENCH_DOC)) --bin bin --commit $(VERSION)

# Servers and services on one machine: less of everything, so that it ends. BENCH=all measures as much as make bench does.
SHARED := --for 5s --confirm 20s --rates 100,500 --records 10000 --grown 5000
.PHONY: bench-distributed
bench-distributed: build bin/bench ## the same as separate processes on real servers: those that TRIBUTARY_KAFKA_BROKERS … name, or started here
	@deploy/bench/distributed.sh ./bin/bench $(or $(BENCH),all $(SHARED) --doc $(BENCH_DOC)) --bin bin --commit $(VERSION)

# Linux and root, as test-cluster. Figures of one node that has servers, pods and generator on it.
.PHONY: bench-cluster
bench-cluster: images bin/bench ## measure the chart on a throw-away Kubernetes: install, upgrades, memory of pods, webhooks and messages through the Service (BENCH='accept --modes standalone')
	deploy/cluster/with.sh ./bin/bench $(or $(BENCH),all --for 5s --rates 50,100 --doc $(BENCH_DOC)) --channel whatsapp --cluster $(CURDIR)/deploy/cluster --commit $(VERSION)

.PHONY: bin/bench
bin/bench:
	@mkdir -p bin
	@cd deploy/bench && go build -trimpath -o ../../bin/bench .

.PHONY: bench-micro
bench-micro: ## benchmarks of the hot paths inside the code
	go test -run '^$$' -bench . -benchtime 2s ./pkg/store/... ./pkg/bus/... ./pkg/channel/... ./services/...

# What an image says of itself; the Dockerfile says the same.
TAGS     := objectstores,timetzdata
IMAGE    ?= ghcr.io/tributaryhq/tributary
ARCH     ?= $(shell go env GOARCH)
REVISION := $(shell git rev-parse HEAD 2>/dev/null)
COMMITTED := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

# Without cgo and without the state of the checkout: the same sources give the same bytes.
.PHONY: bin/image/tributary
bin/image/tributary:
	@mkdir -p bin/image
	@cd services && GOWORK=off CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -trimpath -buildvcs=false -tags $(TAGS) -ldflags '$(LDFLAGS)' \
	  -o ../bin/image/tributary ./standalone/cmd/tributary

.PHONY: release-binaries
release-binaries: ## build the binary of every platform of a release into dist/, as the image has it
	@mkdir -p dist; for os in linux darwin; do for arch in amd64 arm64; do \
	  (cd services && GOWORK=off CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -trimpath -buildvcs=false -tags $(TAGS) -ldflags '$(LDFLAGS)' \
	    -o ../dist/tributary-$$os-$$arch ./standalone/cmd/tributary) || exit 1; done; done

# v1.2.3 is version 1.2.3 of the chart and, as appVersion, the tag of the image that it names; Chart.yaml in the tree has neither.
.PHONY: chart-package
chart-package: ## pack the chart under the version VERSION=v1.2.3 into dist/
	@mkdir -p dist
	cd charts/test && GOWORK=off go tool helm package ../tributary --version $(VERSION:v%=%) --app-version $(VERSION) --destination ../../dist

.PHONY: images
images: bin/image/tributary licence-texts ## put a static binary of this machine into a container image, bin/tributary.tar (no container engine)
	@for d in services/*/cmd/*/; do n=$$(basename $$d); [ $$n = tributary ] || links="$$links -link tributary-$$n"; done; \
	cd deploy/images && go run . -ref $(IMAGE):$(VERSION) -out ../../bin/tributary.tar -arch $(ARCH) -created $(COMMITTED) \
	  $$links -data /data -files ../../bin/licences=/licences -ports 8080,9090 \
	  -env TRIBUTARY_DATA_DIR=/data -env TRIBUTARY_ADMIN_ADDR=:9090 \
	  -label org.opencontainers.image.title=Tributary -label org.opencontainers.image.version=$(VERSION) \
	  -label org.opencontainers.image.revision=$(REVISION) -label org.opencontainers.image.licenses=Apache-2.0 \
	  -label org.opencontainers.image.source=https://github.com/tributaryhq/tributary ../../bin/image/tributary

.PHONY: images-docker
images-docker: ## build the same image with docker
	docker build -f deploy/docker/Dockerfile --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) -t $(IMAGE):$(VERSION) .
