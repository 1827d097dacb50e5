#!/usr/bin/env bash
# Runs the suites of bus, cache, store and end to end against the servers that the environment names. What it does not name is left
# out, and said. BIN is the folder of the built binaries.
#
#   TRIBUTARY_TEST_KAFKA_BROKERS      host:port,host:port,…
#   TRIBUTARY_TEST_KAFKA_CONTROL      a command that takes "start N" and "kill N" for one of three brokers; without it none is killed
#   TRIBUTARY_TEST_REDIS_URL          a Redis that holds nothing of value: the suite empties it
#   TRIBUTARY_TEST_REDIS_CLUSTER_URL  the same, of a cluster
#   TRIBUTARY_TEST_MONGODB_URI        mongodb://… without a database
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
logs=${LOGS:-$(mktemp -d)}
mkdir -p "$logs"

# suite NAME VARIABLES ARGUMENTS… runs go test; VARIABLES must be set.
suite() {
  local name=$1 variable log began=$SECONDS
  log="$logs/suite-${1// /-}.log"
  for variable in $2; do
    if [ -z "${!variable:-}" ]; then
      echo "$name: left out, $variable is not set"
      return
    fi
  done
  shift 2
  if go test -race -count=1 -v "$@" >"$log" 2>&1; then
    echo "$name: $(grep -cE '^ *--- PASS' "$log") passed, $(grep -cE '^ *--- SKIP' "$log" || true) left out, $((SECONDS - began)) s"
    grep -E '^--- SKIP' "$log" | sed 's/^/  /; s/ (.*//' || true
  else
    echo "$name: FAILED after $((SECONDS - began)) s; all of it is in $log"
    grep -vE '^ *(=== |--- PASS|--- SKIP)|level=INFO' "$log" | tail -150
    return 1
  fi
}

# with_store lists the packages whose tests take a store from storetest.
with_store() {
  local imports='{{range .TestImports}}{{.}} {{end}}{{range .XTestImports}}{{.}} {{end}}'
  go list -f "{{.ImportPath}} $imports" work | grep -E 'pkg/store/storetest( |$)' | cut -d' ' -f1 | grep -v 'pkg/store/sqlite$'
}

suite "bus" TRIBUTARY_TEST_KAFKA_BROKERS -timeout 6m -parallel 3 ./pkg/bus/...
# Kafka is for the bus: whatever else needs a bus has one in memory, so that a failure tells which server it is about.
kafka=${TRIBUTARY_TEST_KAFKA_BROKERS:-} && unset TRIBUTARY_TEST_KAFKA_BROKERS
suite "cache" TRIBUTARY_TEST_REDIS_URL -timeout 2m ./pkg/cache
(
  export TRIBUTARY_TEST_REDIS_URL=${TRIBUTARY_TEST_REDIS_CLUSTER_URL:-}
  suite "cache on a cluster" TRIBUTARY_TEST_REDIS_CLUSTER_URL -timeout 2m ./pkg/cache
)
suite "store" TRIBUTARY_TEST_MONGODB_URI -p 2 -timeout 5m $(with_store)
export TRIBUTARY_TEST_KAFKA_BROKERS=$kafka
# The suites of single processes and of crashes at every step have servers of their own: make test-e2e.
suite "end to end" "BIN TRIBUTARY_TEST_KAFKA_BROKERS TRIBUTARY_TEST_REDIS_URL TRIBUTARY_TEST_MONGODB_URI" -timeout 10m -parallel 1 \
  -run '^(TestAWebhook.*|TestRouting.*|TestTelegram.*|TestP13_KilledInTheMiddle|TestTopicsEnsure|Test.*Restored.*|TestTheComposeFileRuns)$/^separate' ./services/standalone/e2e
