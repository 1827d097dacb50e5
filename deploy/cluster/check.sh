#!/usr/bin/env bash
# check.sh [TEST]: the chart on the throw-away cluster, with three Kafka brokers, Redis and a MongoDB-wire server beside it. TEST is a pattern
# of the tests to run; when all have passed, their figures go into docs/reference/cluster-check.md. The image is that of `make images`.
set -euo pipefail
cd "$(dirname "$0")"
. ./env.sh
image=../../bin/tributary.tar servers=$CLUSTER_HOME/servers
[ -f "$image" ] || { echo "$image is missing: make images" >&2; exit 1; }
tag=$(tar -xOf "$image" manifest.json | sed 's/.*"RepoTags":\["[^"]*:\([^":]*\)"\].*/\1/')
finish() {
  local status=$?
  SERVERS_HOST=$NODE_IP ../servers/servers.sh down "$servers"
  ./down.sh "$([ "$status" = 0 ] || echo keep)"
  [ "$status" = 0 ] && rm -rf "$servers" || echo "logs are in $RUN/log and $servers" >&2
}
./prepare.sh
../servers/servers.sh install "$servers"
(cd ../../charts/test && GOWORK=off go test -trimpath -c -o "$BIN/check" ./cluster)
cp "$image" "$IMAGES/tributary.tar"
rm -rf "$servers"
trap finish EXIT
trap 'exit 130' INT TERM
./up.sh
SERVERS_HOST=$NODE_IP ./k ../servers/servers.sh up "$servers"
. "$servers/env"
log=$CLUSTER_HOME/check.log
(cd ../../charts/test/cluster && TRIBUTARY_TEST_CLUSTER_TAG=$tag ../../../deploy/cluster/k "$BIN/check" -test.v -test.timeout 25m -test.run "${1:-.}") | tee "$log"
[ -n "${1:-}" ] || ./report.sh "$tag" <"$log" >../../docs/reference/cluster-check.md
