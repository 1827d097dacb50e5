#!/usr/bin/env bash
# pid 1 of the cluster's namespaces
set -euo pipefail; . ./env.sh; export PATH=$BIN:$PATH
mount --make-rshared /
hostname node1
# state that containerd, runc, CNI and the kubelet keep at fixed paths goes to tmpfs of this mount namespace
for d in /run/netns /run/containerd /var/lib/cni /var/lib/kubelet; do mkdir -p $d; mount -t tmpfs tmpfs $d; done
# the kubelet wants three kernel settings; show it files that hold them rather than changing the machine's
mkdir -p "$RUN/sys"; for kv in vm/overcommit_memory=1 kernel/panic=10 kernel/panic_on_oops=1; do
  f=$RUN/sys/$(tr / _ <<<"${kv%=*}"); echo "${kv#*=}" > "$f"; mount --bind "$f" "/proc/sys/${kv%=*}"; done
ip link set lo up
ip link add node0 type bridge; ip addr add $NODE_IP/24 dev node0; ip link set node0 up
ip route add default dev node0         # leads nowhere: nothing leaves this network namespace
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables || true
printf 'nameserver %s\nsearch svc.cluster.local\n' $NODE_IP > "$RUN/resolv.conf"
echo $$ > "$RUN/init.pid"
run() { local n=$1; shift; "$@" > "$RUN/log/$n.log" 2>&1 & echo "$n $!"; }
run etcd "$BIN/hyper" etcd --data-dir "$RUN/etcd" --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
   --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster default=http://127.0.0.1:2380 --unsafe-no-fsync
run apiserver "$BIN/hyper" kube-apiserver --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --advertise-address=$NODE_IP --secure-port=6443 \
   --tls-cert-file="$RUN/pki/api.crt" --tls-private-key-file="$RUN/pki/api.key" --client-ca-file="$RUN/pki/ca.crt" \
   --token-auth-file="$RUN/pki/tokens.csv" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
   --service-account-key-file="$RUN/pki/sa.key" --service-account-signing-key-file="$RUN/pki/sa.key" --service-account-issuer=https://kubernetes.default.svc.cluster.local \
   --service-cluster-ip-range=$SVC_CIDR --allow-privileged=true --kubelet-preferred-address-types=InternalIP
for i in $(seq 300); do curl -sk -o /dev/null -f https://127.0.0.1:6443/livez && break; sleep 0.2; done
run kcm "$BIN/hyper" kube-controller-manager --kubeconfig="$RUN/kcm.kubeconfig" --root-ca-file="$RUN/pki/ca.crt" \
   --service-account-private-key-file="$RUN/pki/sa.key" --use-service-account-credentials=true --leader-elect=false --bind-address=127.0.0.1 \
   --flex-volume-plugin-dir=$RUN/volume-plugins --allocate-node-cidrs=false --cluster-signing-cert-file="$RUN/pki/ca.crt" --cluster-signing-key-file="$RUN/pki/ca.key"
run scheduler "$BIN/hyper" kube-scheduler --kubeconfig="$RUN/scheduler.kubeconfig" --leader-elect=false --bind-address=127.0.0.1
  mkdir -p "$RUN/cni" "$RUN/kubelet"
  cat > "$RUN/cni/10-cluster.conflist" <<C
{"cniVersion":"0.4.0","name":"cluster","plugins":[
 {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,"hairpinMode":true,
  "ipam":{"type":"host-local","dataDir":"$RUN/ipam","ranges":[[{"subnet":"$POD_CIDR"}]],"routes":[{"dst":"0.0.0.0/0"}]}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
C
  cat > "$RUN/containerd.toml" <<C
version = 2
root = "$RUN/containerd/root"
state = "$RUN/containerd/state"
[grpc]
  address = "$RUN/containerd.sock"
[ttrpc]
  address = "$RUN/containerd.sock.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "$RUN/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true      # no CAP_SYS_RESOURCE here
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$RUN/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${SNAPSHOTTER:-overlayfs}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
C
  run containerd "${CONTAINERD:-containerd}" -c "$RUN/containerd.toml"
  for i in $(seq 100); do ctr -a "$RUN/containerd.sock" version >/dev/null 2>&1 && break; sleep 0.1; done
  for t in "$IMAGES"/*.tar; do ctr -a "$RUN/containerd.sock" -n k8s.io images import "$t"; done
  for c in cpu cpuacct cpuset memory devices freezer blkio pids systemd; do mkdir -p /sys/fs/cgroup/$c/$CGROOT
    [ $c = cpuset ] && for f in cpus mems; do cat /sys/fs/cgroup/cpuset/cpuset.$f > /sys/fs/cgroup/cpuset/$CGROOT/cpuset.$f; done; done
  cat > "$RUN/kubelet.yaml" <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_IP
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}      # only this network namespace reaches it
cgroupDriver: cgroupfs
cgroupRoot: /$CGROOT
failCgroupV1: false
failSwapOn: false
clusterDNS: [$NODE_IP]
clusterDomain: cluster.local
resolvConf: $RUN/resolv.conf
containerRuntimeEndpoint: unix://$RUN/containerd.sock
podLogsDir: $RUN/podlogs
volumePluginDir: $RUN/volume-plugins
staticPodPath: ""
imageMinimumGCAge: 24h
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
C
  run kubelet "$BIN/hyper" kubelet --config="$RUN/kubelet.yaml" --kubeconfig="$RUN/node1.kubeconfig" --root-dir="$RUN/kubelet" \
     --cert-dir="$RUN/kubelet/pki" --hostname-override=node1 --node-ip=$NODE_IP
  cat > "$RUN/proxy.yaml" <<C
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $RUN/proxy.kubeconfig}
mode: ${PROXY_MODE:-iptables}
clusterCIDR: $POD_CIDR
hostnameOverride: node1
bindAddress: $NODE_IP
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
C
  run proxy "$BIN/hyper" kube-proxy --config="$RUN/proxy.yaml"
    export KUBECONFIG=$RUN/admin.kubeconfig
    kubectl create clusterrole coredns --verb=list,watch --resource=services,pods,namespaces,endpointslices.discovery.k8s.io >/dev/null
    kubectl create clusterrolebinding coredns --clusterrole=coredns --user=system:dns >/dev/null
    cat > "$RUN/Corefile" <<C
cluster.local:53 in-addr.arpa:53 {
  bind $NODE_IP
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $RUN/dns.kubeconfig cluster
    pods insecure
  }
}
.:53 {
  bind $NODE_IP
  template ANY ANY {
    rcode NXDOMAIN
  }
}
C
    run coredns "$BIN/hyper" coredns -conf "$RUN/Corefile"
trap 'exit 0' TERM
while :; do sleep 3600 & wait $! || true; done
