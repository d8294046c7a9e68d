#!/bin/sh
# The whole of a cluster as one tree of processes: first process of its own process, mount and network namespaces, started by cluster.ts.
# Its input stays open while the cluster is wanted; when it closes, also because whoever started it died, all of this ends with it.
#   machine.sh FOLDER PROGRAM HERE THERE PODS PARENT
set -eu
folder=$1 program=$2 here=$3 there=$4 pods=$5 parent=$6

# The cable has been put in by then.
read -r _

ip link set lo up
ip addr add "$there/30" dev eth0
ip link set eth0 up
ip route add default via "$here"
echo 1 >/proc/sys/net/ipv4/ip_forward
# Only instances go out under the machine's address; who comes from the test keeps his own.
iptables -t nat -A POSTROUTING -s "$pods" ! -d "$pods" -o eth0 -j MASQUERADE

# The kubelet sets these for the whole kernel: here it sets files of ours.
mount --make-rprivate /
for each in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1; do
  path=/proc/sys/${each%=*} file=$folder/sysctl-$(echo "${each%=*}" | tr / -)
  echo "${each#*=}" >"$file"
  mount --bind "$file" "$path"
done
mkdir -p "$folder/opt" && mount --bind "$folder/opt" /opt
mkdir -p "$folder/netns" /run/netns && mount --bind "$folder/netns" /run/netns

for each in /sys/fs/cgroup/*/; do [ -w "$each" ] && mkdir -p "$each$parent"; done

begin() { name=$1; shift; "$@" >"$folder/$name.log" 2>&1 </dev/null & }

begin containerd containerd --config "$folder/containerd.toml"
begin etcd "$program" etcd --data-dir "$folder/etcd" --unsafe-no-fsync --log-level error \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster default=http://127.0.0.1:2380
audit=
[ -e "$folder/audit.json" ] && audit="--audit-policy-file=$folder/audit.json --audit-log-path=$folder/audit.log"
# Words, each of them one: the folder has no spaces.
# shellcheck disable=SC2086
begin kube-apiserver "$program" kube-apiserver --etcd-servers http://127.0.0.1:2379 --bind-address "$there" --advertise-address "$there" \
  --secure-port 6443 --token-auth-file "$folder/tokens.csv" --service-account-issuer https://kubernetes.default.svc \
  --service-account-key-file "$folder/sa.key" --service-account-signing-key-file "$folder/sa.key" --authorization-mode RBAC \
  --cert-dir "$folder/certs" --service-cluster-ip-range 10.96.0.0/16 --kubelet-preferred-address-types=InternalIP \
  --enable-admission-plugins ResourceQuota,LimitRanger,ServiceAccount --watch-cache=true $audit

# The parts below end when the API is not there yet: they begin once it says that it is ready. A minute is the limit of waiting.
for _ in $(seq 300); do
  [ -e "$folder/ready" ] && break
  sleep 0.2
done
begin kube-controller-manager "$program" kube-controller-manager --kubeconfig "$folder/admin.kubeconfig" --leader-elect=false --bind-address 127.0.0.1 \
  --service-account-private-key-file "$folder/sa.key" --root-ca-file "$folder/certs/apiserver.crt" --use-service-account-credentials=false \
  --pvclaimbinder-sync-period 1s --horizontal-pod-autoscaler-sync-period 10m
begin kube-scheduler "$program" kube-scheduler --kubeconfig "$folder/admin.kubeconfig" --leader-elect=false --bind-address 127.0.0.1
begin kubelet "$program" kubelet --config "$folder/kubelet.yaml" --kubeconfig "$folder/admin.kubeconfig" --root-dir "$folder/kubelet" \
  --cert-dir "$folder/kubelet-certs" --hostname-override machine-1 --node-ip "$there"

cat >/dev/null
