#!/usr/bin/env bash
set -euo pipefail
export GOWORK=off
cd "$(dirname "$0")"
V=$(sed -n 's|^\s*\(require \)\?k8s.io/kubernetes v||p' go.mod | head -1 | tr -d ' ')
p=k8s.io/component-base/version; IFS=. read -r MA MI PA <<<"$V"
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X $p.gitVersion=v$V -X $p.gitMajor=$MA -X $p.gitMinor=$MI -X $p.gitCommit=0000000000000000000000000000000000000000 -X $p.gitTreeState=clean -X $p.buildDate=1970-01-01T00:00:00Z" -o "${1:-../bin/hyper}" .
