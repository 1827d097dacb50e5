#!/usr/bin/env bash
# report.sh TAG: writes the page of the last check from its log.
version=$(sed -n 's|^\s*\(require \)\?k8s.io/kubernetes v||p' "$(dirname "$0")/hyper/go.mod" | head -1 | tr -d ' ')
cat <<EOT
# The chart on a cluster

Written by \`make test-cluster\` from its last run, of version $1: Kubernetes $version with a real kubelet and containerd, on one node; three Kafka
brokers, Redis and a MongoDB-wire server beside it. Four people write all the time, each webhook over a connection of its own through the
Service; what is not acknowledged is sent again, as providers do.

EOT
sed -nE 's/^ +[a-z]+_test\.go:[0-9]+: (.*)/* \1/p'
cat <<'EOT'

What this cluster cannot show: that NetworkPolicies are enforced, Ingress and Gateway controllers, operators (KEDA, Prometheus), several
nodes and zones, provisioned volumes, autoscaling (there is no metrics server), MongoDB itself and TLS to the servers. The objects for them
are checked by their types, their schemas and, but for those of operators, by the apiserver.
EOT
