#!/usr/bin/env bash
# Starts real servers, runs all suites against them and ends them again, whatever happens. A variable of suites.sh that is set
# already stays as it is: TRIBUTARY_TEST_MONGODB_URI=mongodb://… runs everything on that MongoDB.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(mktemp -d)
finish() {
  local status=$?
  "$here/servers.sh" down "$dir"
  if [ "$status" = 0 ]; then rm -rf "$dir"; else echo "the servers' logs are in $dir"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM
began=$SECONDS
"$here/servers.sh" up "$dir"
. "$dir/env"
echo "servers: $(sed -n 's/^ *<\(kafka\|mongo-java-server\).version>\(.*\)<.*/\1 \2,/p' "$here/pom.xml" | tr '\n' ' ')redis $(redis-server --version | sed 's/.*v=\([^ ]*\).*/\1/'), up after $((SECONDS - began)) s"
LOGS="$dir" "$here/suites.sh"
echo "all of it: $((SECONDS - began)) s"
