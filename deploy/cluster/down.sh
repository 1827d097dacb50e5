#!/usr/bin/env bash
# take it all down: kill the init of the pid namespace; then remove the empty cgroups and the data
cd "$(dirname "$0")"; . ./env.sh
[ -e "$RUN/nspid" ] && kill -KILL "$(cat "$RUN/nspid")" 2>/dev/null
[ -e "$RUN/pid" ] && for i in $(seq 50); do kill -0 "$(cat "$RUN/pid")" 2>/dev/null || break; sleep 0.1; done
for c in cpu cpuacct cpuset memory devices freezer blkio pids systemd unified; do
  [ -d /sys/fs/cgroup/$c/$CGROOT ] && find /sys/fs/cgroup/$c/$CGROOT -depth -type d -exec rmdir {} \; 
done 2>/dev/null
[ "$1" = keep ] || rm -rf "$RUN"
echo down
