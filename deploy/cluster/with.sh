#!/usr/bin/env bash
# with.sh COMMAND…: brings the cluster up, with three Kafka brokers, Redis and a MongoDB-wire server beside it and the image of `make images`
# in it, runs COMMAND in its network, and takes all of it away again. COMMAND finds the servers in TRIBUTARY_TEST_…, and the image's tag in
# TRIBUTARY_TEST_CLUSTER_TAG.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
image=$here/../../bin/tributary.tar servers=$CLUSTER_HOME/servers
[ -f "$image" ] || { echo "$image is missing: make images" >&2; exit 1; }
finish() {
  local status=$?
  SERVERS_HOST=$NODE_IP "$here/../servers/servers.sh" down "$servers"
  "$here/down.sh" "$([ "$status" = 0 ] || echo keep)"
  [ "$status" = 0 ] && rm -rf "$servers" || echo "logs are in $RUN/log and $servers" >&2
}
"$here/prepare.sh"
"$here/../servers/servers.sh" install "$servers"
cp "$image" "$IMAGES/tributary.tar"
rm -rf "$servers"
trap finish EXIT
trap 'exit 130' INT TERM
"$here/up.sh"
export SERVERS_HOST=$NODE_IP
"$here/k" "$here/../servers/servers.sh" up "$servers"
. "$servers/env"
TRIBUTARY_TEST_CLUSTER_TAG=$(tag_of "$image")
export TRIBUTARY_TEST_CLUSTER_TAG
"$here/k" "$@"
