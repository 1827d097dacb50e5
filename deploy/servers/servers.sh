#!/usr/bin/env bash
# Real servers on this machine, on ports chosen at run time, with all their data in one directory.
#
#   servers.sh install DIR        fetch and build what the others need, which then need no network
#   servers.sh up DIR             start everything; DIR/env sets the TRIBUTARY_TEST_… variables that are not set yet
#   servers.sh down DIR           end everything
#   servers.sh broker DIR start N   start Kafka broker N (1, 2 or 3) again
#   servers.sh broker DIR kill N    end it with SIGKILL
#   servers.sh user DIR kafka|mongo NAME [PASSWORD]   make a user or change the password; without one the user is deleted
#
# SERVERS_HOST names the address that they listen on, if it is another than 127.0.0.1.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command=${1:?say install, up, down, broker or user} dir=${2:?name a directory}
brokers="1 2 3" masters="1 2 3" host=${SERVERS_HOST:-127.0.0.1}

install() {
  local missing=""
  command -v redis-server >/dev/null && command -v redis-cli >/dev/null || missing="redis-server"
  command -v caddy >/dev/null || missing+=" caddy" # the gateway of deploy/compose
  if [ -n "$missing" ]; then
    echo "installing $missing"
    # No service of its own shall be started by a package.
    # shellcheck disable=SC2086 # names of packages
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq install -y --no-install-recommends $missing >/dev/null
  fi
  mvn -q -B -f "$here/pom.xml" process-classes
}

# free_port prints a port nobody listens on, below those that the kernel gives to clients.
free_port() {
  local p
  while p=$((20000 + RANDOM % 12000)); (exec 3<>"/dev/tcp/$host/$p") 2>/dev/null || grep -qs " $p$" "$dir/ports"; do :; done
  echo "x $p" >>"$dir/ports"
  echo "$p"
}

# run NAME COMMAND… starts a process in the background; its output goes to DIR/NAME.log.
run() {
  local name=$1
  shift
  setsid "$@" >>"$dir/$name.log" 2>&1 </dev/null &
  echo $! >"$dir/$name.pid"
}

java_at() { # heap, then the rest: quick to start, small, quiet
  local heap=$1
  shift
  echo java "-Xmx$heap" "-Xms$heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
    -cp "$here/target/classes:$(cat "$here/target/classpath")" "$@"
}

until_port() { # name port: waits until the port answers
  for _ in $(seq 600); do
    (exec 3<>"/dev/tcp/$host/$2") 2>/dev/null && return
    kill -0 "$(cat "$dir/$1.pid")" 2>/dev/null || break
    sleep 0.1
  done
  echo "$1 does not come up:" >&2
  tail -20 "$dir/$1.log" >&2
  return 1
}

kafka_config() {
  local n voters=""
  for n in $brokers; do
    free_port >"$dir/kafka-$n.port"
    free_port >"$dir/kafka-scram-$n.port"
    free_port >"$dir/kafka-$n.controller"
    voters+="${voters:+,}$n@$host:$(cat "$dir/kafka-$n.controller")"
  done
  for n in $brokers; do
    cat >"$dir/kafka-$n.properties" <<EOF
process.roles=broker,controller
node.id=$n
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://$host:$(cat "$dir/kafka-$n.port"),SCRAM://$host:$(cat "$dir/kafka-scram-$n.port"),CONTROLLER://$host:$(cat "$dir/kafka-$n.controller")
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SCRAM:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.scram.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
log.dirs=$dir/kafka-$n
# what a cluster should have
min.insync.replicas=2
default.replication.factor=3
offsets.topic.replication.factor=3
unclean.leader.election.enable=false
auto.create.topics.enable=false
# what makes it small, and quick to notice a dead broker
offsets.topic.num.partitions=6
transaction.state.log.num.partitions=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=4194304
log.index.size.max.bytes=262144
num.network.threads=2
num.io.threads=3
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1500
controlled.shutdown.enable=false
EOF
  done
}

kafka_start() { run "kafka-$1" $(java_at 320m kafka.Kafka "$dir/kafka-$1.properties"); }

kafka_up() {
  local n jobs=() cluster=VHJpYnV0YXJ5VGVzdHMwMQ
  kafka_config
  for n in $brokers; do
    $(java_at 64m kafka.tools.StorageTool format -t "$cluster" -c "$dir/kafka-$n.properties") >"$dir/format-$n.log" 2>&1 &
    jobs+=($!)
  done
  for n in "${jobs[@]}"; do wait "$n" || { cat "$dir"/format-*.log >&2; return 1; }; done
  for n in $brokers; do kafka_start "$n"; done
}

redis_up() {
  free_port >"$dir/redis.port"
  run redis redis-server --port "$(cat "$dir/redis.port")" --bind "$host" --protected-mode no --save "" --appendonly no --dir "$dir"
  for n in $masters; do
    mkdir -p "$dir/redis-$n"
    free_port >"$dir/redis-$n.port"
    run "redis-$n" redis-server --port "$(cat "$dir/redis-$n.port")" --bind "$host" --protected-mode no --save "" --appendonly no --dir "$dir/redis-$n" \
      --cluster-enabled yes --cluster-port "$(free_port)" --cluster-require-full-coverage yes
  done
  local nodes=()
  for n in $masters; do
    until_port "redis-$n" "$(cat "$dir/redis-$n.port")"
    nodes+=("$host:$(cat "$dir/redis-$n.port")")
  done
  redis-cli -h "$host" --cluster create "${nodes[@]}" --cluster-replicas 0 --cluster-yes >"$dir/redis-cluster.log"
  until redis-cli -h "$host" -p "$(cat "$dir/redis-1.port")" cluster info | grep -q cluster_state:ok; do sleep 0.1; done
}

# One thread answers everybody: the stand-in writes out documents that another thread may be changing, and then hangs up.
mongo_up() {
  free_port >"$dir/mongo.port"
  free_port >"$dir/mongo-users.port"
  run mongo $(java_at 768m -Dio.netty.eventLoopThreads=1 tributary.servers.Mongo "$(cat "$dir/mongo.port")" "$host" "$(cat "$dir/mongo-users.port")" "$dir/mongo.users")
}

# user makes a user of a server, changes the password or, without one, deletes it.
user() {
  local server=$1 name=$2 password=${3:-}
  case $server in
  kafka) $(java_at 64m tributary.servers.KafkaUser "$(addresses kafka)" "$name" ${password:+"$password"}) ;;
  mongo)
    touch "$dir/mongo.users"
    { grep -v "^$name " "$dir/mongo.users" || true; [ -z "$password" ] || echo "$name $password"; } >"$dir/mongo.users.new"
    mv "$dir/mongo.users.new" "$dir/mongo.users" # all of it or nothing: the server may be reading
    ;;
  *) echo "say: servers.sh user DIR kafka|mongo NAME [PASSWORD]" >&2 && exit 2 ;;
  esac
}

addresses() { # of name-1, name-2, name-3
  local n out=""
  for n in 1 2 3; do out+="${out:+,}$host:$(cat "$dir/$1-$n.port")"; done
  echo "$out"
}

up() {
  install
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  kafka_up
  mongo_up
  redis_up
  until_port redis "$(cat "$dir/redis.port")"
  until_port mongo "$(cat "$dir/mongo.port")"
  until_port mongo "$(cat "$dir/mongo-users.port")"
  for n in $brokers; do until_port "kafka-$n" "$(cat "$dir/kafka-$n.port")"; done
  local cluster
  cluster=$(addresses redis)
  cat >"$dir/env" <<EOF
if [ -z "\${TRIBUTARY_TEST_KAFKA_BROKERS:-}" ]; then
  export TRIBUTARY_TEST_KAFKA_BROKERS='$(addresses kafka)'
  export TRIBUTARY_TEST_KAFKA_CONTROL='$here/servers.sh broker $dir'
fi
export TRIBUTARY_TEST_REDIS_URL="\${TRIBUTARY_TEST_REDIS_URL:-redis://$host:$(cat "$dir/redis.port")}"
export TRIBUTARY_TEST_REDIS_CLUSTER_URL="\${TRIBUTARY_TEST_REDIS_CLUSTER_URL:-redis://${cluster%%,*}?addr=$(echo "${cluster#*,}" | sed 's/,/\&addr=/')&cluster=true}"
export TRIBUTARY_TEST_MONGODB_URI="\${TRIBUTARY_TEST_MONGODB_URI:-mongodb://$host:$(cat "$dir/mongo.port")/?retryWrites=false}"
# Where clients must sign in, with the users that the command makes; for the tests of the chart.
export TRIBUTARY_TEST_KAFKA_SCRAM_BROKERS='$(addresses kafka-scram)'
export TRIBUTARY_TEST_MONGODB_USERS_URI='mongodb://$host:$(cat "$dir/mongo-users.port")/?retryWrites=false&authMechanism=PLAIN&authSource=%24external'
export TRIBUTARY_TEST_USERS='$here/servers.sh user $dir'
EOF
}

down() {
  local f
  for f in "$dir"/*.pid; do
    [ -e "$f" ] && kill -9 "$(cat "$f")" 2>/dev/null || true
  done
}

case $command in
install) install ;;
up) up ;;
down) down ;;
user) user "${3:?say kafka or mongo}" "${4:?name a user}" "${5:-}" ;;
broker)
  case ${3:-} in
  start) kafka_start "${4:?which broker}" && until_port "kafka-$4" "$(cat "$dir/kafka-$4.port")" ;;
  kill) kill -9 "$(cat "$dir/kafka-${4:?which broker}.pid")" ;;
  *) echo "say: servers.sh broker DIR start|kill N" >&2 && exit 2 ;;
  esac
  ;;
*) echo "say install, up, down, broker or user" >&2 && exit 2 ;;
esac
