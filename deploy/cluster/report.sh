#!/usr/bin/env bash
# report.sh TAG: writes the page of the last check from its log.
cd "$(dirname "$0")"; . ./env.sh
version=$(sed -n 's|^\s*\(require \)\?k8s.io/kubernetes v||p' hyper/go.mod | head -1 | tr -d ' ')
of() { "$@" 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1; }
cat <<EOT
# The chart on a cluster

Written by \`make test-cluster\` from its last run, of version $1: Kubernetes $version with a real kubelet, containerd $(of containerd --version) and
runc $(of runc --version), on one node; three Kafka brokers, Redis $(of redis-server --version) and a MongoDB-wire server beside it, each with users of
the release's own. Four people write all the time, to WhatsApp, Telegram and LINE in turn, through the Service: over a connection of its own for each
webhook, and where kept connections are named, two of the four over one that they keep. What is not acknowledged is sent again, as providers do.

EOT
sed -nE 's/^ +[a-z]+_test\.go:[0-9]+: (.*)/* \1/p'
cat <<'EOT'

What this cluster cannot show: that NetworkPolicies are enforced, Ingress and Gateway controllers, operators (KEDA, Prometheus), several
nodes and zones, provisioned volumes, autoscaling (there is no metrics server), MongoDB itself, rights of Kafka's users, an object store
and its credentials, and TLS to the servers. The objects for them are checked by their types, their schemas and, but for those of operators, by the
apiserver.
EOT
