#!/usr/bin/env bash
# place.sh NAMESPACE standalone|distributed: makes a namespace that enforces Pod Security "restricted", with what a release of the mode wants to
# find there: a volume, and Secrets that name the servers beside the cluster, with users of Kafka, Redis and the store for it alone. Prints the values
# of the release. It runs inside the cluster's network, with the environment of with.sh.
#
# STORE_URL names another document store; API_KEY is the first API key of the release, made here if it is not set (distributed), or by the
# chart (standalone).
set -euo pipefail
ns=$1 mode=$2 dir=$RUN/volume-$1
kubectl create namespace "$ns" >&2
kubectl label namespace "$ns" pod-security.kubernetes.io/enforce=restricted >&2
install -d -m 700 -o 65532 -g 65532 "$dir"
access=ReadWriteOnce
[ "$mode" = standalone ] || access=ReadWriteMany
kubectl apply -f - >&2 <<Y
apiVersion: v1
kind: PersistentVolume
metadata: {name: $ns, labels: {for: $ns}}
spec: {capacity: {storage: 10Gi}, accessModes: [$access], hostPath: {path: $dir}, persistentVolumeReclaimPolicy: Retain}
Y
secret() { kubectl -n "$ns" create secret generic "$@" >&2; }
cat <<Y
mode: $mode
image: {pullPolicy: Never}
config: {egress_allow: [$NODE_IP/32]}
defaults: {resources: {requests: {cpu: 20m}}}
Y
if [ "$mode" = standalone ]; then
  echo "standalone: {persistence: {selector: {matchLabels: {for: $ns}}}}"
  [ -z "${API_KEY:-}" ] || { secret bootstrap --from-literal=admin-password=first-password --from-literal=api-key="$API_KEY"; echo "bootstrap: {existingSecret: bootstrap}"; }
  exit
fi
kubectl -n "$ns" apply -f - >&2 <<Y
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files}
spec: {accessModes: [ReadWriteMany], storageClassName: "", resources: {requests: {storage: 1Gi}}, selector: {matchLabels: {for: $ns}}}
Y
redis-cli -u "$TRIBUTARY_TEST_REDIS_URL" ACL SETUSER "$ns" on '>first-of-redis' '~*' '&*' +@all >&2
secret encryption --from-literal=encryption-key="$(openssl rand -base64 32)"
secret bootstrap --from-literal=admin-password=first-password --from-literal=api-key="${API_KEY:-trb_$(openssl rand -hex 8)_$(openssl rand -hex 24)}"
secret redis --from-literal=url="redis://$ns:first-of-redis@${TRIBUTARY_TEST_REDIS_URL#redis://}"
$TRIBUTARY_TEST_USERS kafka "$ns-first" first-of-kafka >&2
secret kafka --from-literal=username="$ns-first" --from-literal=password=first-of-kafka
$TRIBUTARY_TEST_USERS mongo "$ns-first" first-of-mongo >&2
mongo=${TRIBUTARY_TEST_MONGODB_USERS_URI#mongodb://}
secret mongodb --from-literal=uri="${STORE_URL:-mongodb://$ns-first:first-of-mongo@${mongo%%/*}/$ns?${mongo#*\?}}"
cat <<Y
publicURL: http://tributary.example.com
kafka: {brokers: [$TRIBUTARY_TEST_KAFKA_SCRAM_BROKERS], sasl: {mechanism: scram-sha-512, existingSecret: kafka}}
redis: {existingSecret: redis}
mongodb: {existingSecret: mongodb}
encryption: {existingSecret: encryption}
bootstrap: {existingSecret: bootstrap}
blob: {url: "file:///var/tributary/files", existingClaim: files}
Y
