#!/usr/bin/env bash
# regenerate go.mod for Kubernetes $1 (e.g. 1.35.4): every staging module that k8s.io/kubernetes requires
# as v0.0.0 is replaced by its published v0.X.Y tag.
set -euo pipefail
export GOWORK=off
V=$1; S=v0.${V#1.}
MOD=$(go mod download -json k8s.io/kubernetes@v$V | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
rm -f go.mod go.sum
go mod init github.com/tributaryhq/tributary/deploy/cluster/hyper >/dev/null 2>&1
args=()
for m in $(awk '$2=="v0.0.0"{print $1}' "$MOD" | sort -u); do args+=(-replace=$m=$m@$S); done
# keep k8s's own godebug default line
gd=$(sed -n 's/^godebug //p' "$MOD"); [ -n "$gd" ] && args+=(-godebug=$gd)
go mod edit "${args[@]}" -require=k8s.io/kubernetes@v$V
go get github.com/coredns/coredns@${COREDNS:-v1.14.4} k8s.io/kubernetes@v$V
go mod tidy
