#!/usr/bin/env bash
# Measures separate processes on real servers: those that TRIBUTARY_KAFKA_BROKERS, TRIBUTARY_REDIS_URL and TRIBUTARY_STORE_URL
# name, or three Kafka brokers and Redis that are started for it on this machine. The services share an SQLite file then: the
# MongoDB-wire server of the tests has no index but the id, and would be measured scanning.
#
#   distributed.sh BENCH ARGUMENTS…
set -euo pipefail
servers=$(cd "$(dirname "${BASH_SOURCE[0]}")/../servers" && pwd)/servers.sh
if [ -z "${TRIBUTARY_KAFKA_BROKERS:-}" ]; then
  dir=$(mktemp -d)
  trap '"$servers" down "$dir"; rm -rf "$dir"' EXIT
  "$servers" up "$dir"
  # shellcheck disable=SC1091 # written by servers.sh
  source "$dir/env"
  export TRIBUTARY_KAFKA_BROKERS=$TRIBUTARY_TEST_KAFKA_BROKERS
  export TRIBUTARY_REDIS_URL=${TRIBUTARY_REDIS_URL:-$TRIBUTARY_TEST_REDIS_URL}
  export TRIBUTARY_STORE_URL=${TRIBUTARY_STORE_URL:-sqlite:shared}
fi
"$@" --distributed
