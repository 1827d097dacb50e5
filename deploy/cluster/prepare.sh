#!/usr/bin/env bash
# prepare.sh: what the throw-away cluster needs: Debian's packages, and binaries that are built here from Go modules. Once per machine.
set -euo pipefail
cd "$(dirname "$0")"; . ./env.sh; mkdir -p "$BIN" "$IMAGES"
command -v containerd >/dev/null && command -v runc >/dev/null && [ -d /usr/lib/cni ] && command -v iptables >/dev/null && command -v openssl >/dev/null ||
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends containerd runc containernetworking-plugins iptables openssl; } >/dev/null
build() { # name, module's folder, package
  [ -x "$BIN/$1" ] || { echo "building $1"; (cd "$2" && GOWORK=off CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$BIN/$1" "$3"); }
}
[ -x "$BIN/hyper" ] || { echo "building hyper (Kubernetes), some 9 minutes of CPU"; hyper/build.sh "$BIN/hyper"; }
ln -sf hyper "$BIN/kubectl"
build images ../images .
[ -f "$IMAGES/pause.tar" ] ||
  { build pause ../images ./pause && "$BIN/images" -ref localhost/pause:1 -arch "$(go env GOARCH)" -out "$IMAGES/pause.tar" "$BIN/pause"; }
build helm ../../charts/test helm.sh/helm/v4/cmd/helm
echo "prepared in $CLUSTER_HOME"
