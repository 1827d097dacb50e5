#!/usr/bin/env bash
# up.sh: bring a throw-away one-node Kubernetes up, entirely inside namespaces of its own.
set -euo pipefail
cd "$(dirname "$0")"; . ./env.sh
[ -e "$RUN/pid" ] && kill -0 "$(cat "$RUN/pid")" 2>/dev/null && { echo "already up"; exit 1; }
rm -rf "$RUN"; mkdir -p "$RUN/log" "$RUN/pki"
t0=$(date +%s%N); lap() { printf '%6.1fs %s\n' "$(( ($(date +%s%N)-t0)/1000000 ))e-3" "$*"; }
# --- keys, certificates, kubeconfigs (openssl; under a second)
( cd "$RUN/pki"
  openssl genrsa -out sa.key 2048 2>/dev/null
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout ca.key -out ca.crt -subj /CN=cluster-ca 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout api.key -out api.csr -subj /CN=kube-apiserver 2>/dev/null
  openssl x509 -req -in api.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out api.crt -extfile <(echo \
   "subjectAltName=IP:127.0.0.1,IP:$NODE_IP,IP:$SVC_API,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local") 2>/dev/null
  for u in 'admin,admin,"system:masters"' 'kcm,system:kube-controller-manager' 'scheduler,system:kube-scheduler' \
           'node1,system:node:node1,"system:nodes"' 'proxy,system:kube-proxy' 'dns,system:dns'; do
    name=${u%%,*}; rest=${u#*,}; tok=$(openssl rand -hex 16); usr=${rest%%,*}; grp=; [ "$usr" != "$rest" ] && grp=",${rest#*,}"
    echo "$tok,$usr,$name$grp" >> tokens.csv
    cat > "$RUN/$name.kubeconfig" <<K
apiVersion: v1
kind: Config
clusters: [{name: cluster, cluster: {server: "https://127.0.0.1:6443", certificate-authority: $RUN/pki/ca.crt}}]
users: [{name: $name, user: {token: $tok}}]
contexts: [{name: cluster, context: {cluster: cluster, user: $name}}]
current-context: cluster
K
  done )
lap "pki"
# one init process owns everything: when it dies, every process, mount and interface goes with it
nohup unshare --net --mount --pid --uts --ipc --fork --kill-child --mount-proc --propagation private \
   nice -n 10 bash ./node.sh > "$RUN/log/init.log" 2>&1 &
echo $! > "$RUN/pid"
for i in $(seq 50); do [ -e "$RUN/init.pid" ] && break; sleep 0.1; done
child=$(pgrep -P "$(cat "$RUN/pid")"); echo "$child" > "$RUN/nspid"
wait_for() { local what=$1 end=$(( $(date +%s) + $2 )); shift 2
  while [ "$(date +%s)" -lt $end ]; do "$@" >/dev/null 2>&1 && { lap "$what"; return; }; sleep 0.2; done
  echo "TIMEOUT waiting for $what"; tail -5 "$RUN"/log/*.log; exit 1; }
wait_for "kube-apiserver ready" 300 ./k kubectl get --raw /readyz
wait_for "default service account" 60 ./k kubectl get sa default
  wait_for "node registered" 60 ./k kubectl get node node1
wait_for "node Ready" 120 ./k kubectl wait --for=condition=Ready node/node1 --timeout=5s
lap "up"
