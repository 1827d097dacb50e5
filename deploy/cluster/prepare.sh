#!/usr/bin/env bash
# prepare.sh: what the throw-away cluster needs: Debian's packages, and binaries that are built here from Go modules. Once per machine; what
# has other sources, or another toolchain, than when it was built is built again.
set -euo pipefail
cd "$(dirname "$0")"; . ./env.sh; mkdir -p "$BIN" "$IMAGES"
command -v containerd >/dev/null && command -v runc >/dev/null && [ -d /usr/lib/cni ] && command -v iptables >/dev/null && command -v openssl >/dev/null ||
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends containerd runc containernetworking-plugins iptables openssl; } >/dev/null
# Versions of modules, and their sums, are those of go.mod and go.sum.
build() { # name, module's folder, command that builds its argument there
  local name=$1 folder=$2 stamp
  shift 2
  stamp=$(cd "$folder" && { go env GOVERSION; find . -name '*.go' ! -name '*_test.go' -o -name go.mod -o -name go.sum -o -name '*.sh' | sort | xargs cat; } | sha256sum)
  [ -x "$BIN/$name" ] && [ "$(cat "$BIN/$name.sources" 2>/dev/null)" = "$stamp" ] && return
  echo "building $name"
  (cd "$folder" && GOWORK=off CGO_ENABLED=0 "$@" "$BIN/$name") && echo "$stamp" >"$BIN/$name.sources"
}
binary() { go build -trimpath -ldflags '-s -w' -o "$2" "$1"; }
[ -x "$BIN/hyper" ] || echo "Kubernetes is built first: from cold, 12 minutes of CPU in all"
build hyper hyper ./build.sh
ln -sf hyper "$BIN/kubectl"
build images ../images binary .
build pause ../images binary ./pause
[ "$IMAGES/pause.tar" -nt "$BIN/pause" ] || "$BIN/images" -ref localhost/pause:1 -arch "$(go env GOARCH)" -out "$IMAGES/pause.tar" "$BIN/pause"
build helm ../../charts/test binary helm.sh/helm/v4/cmd/helm
echo "prepared in $CLUSTER_HOME"
