#!/usr/bin/env bash
# load.sh IMAGE.tar...: import docker-archive/OCI tarballs into the running node
cd "$(dirname "$0")"; . ./env.sh
for t in "$@"; do ctr -a "$RUN/containerd.sock" -n k8s.io images import "$t"; done
