#!/usr/bin/env bash
# check.sh [TEST]: the chart on the throw-away cluster. TEST is a pattern of the tests to run; when all have passed, what they say goes into
# docs/reference/cluster-check.md.
set -euo pipefail
cd "$(dirname "$0")"
. ./env.sh
./prepare.sh
./first.sh
TRIBUTARY_TEST_CLUSTER_FIRST_TAG=$([ ! -f "$IMAGES/first.tar" ] || tag_of "$IMAGES/first.tar")
export TRIBUTARY_TEST_CLUSTER_FIRST_TAG
(cd ../../charts/test && GOWORK=off go test -trimpath -c -o "$BIN/check" ./cluster)
log=$CLUSTER_HOME/check.log
(cd ../../charts/test/cluster && ../../../deploy/cluster/with.sh "$BIN/check" -test.v -test.timeout 60m -test.run "${1:-.}") | tee "$log"
[ -n "${1:-}" ] || ./report.sh "$(tag_of ../../bin/tributary.tar)" <"$log" >../../docs/reference/cluster-check.md
