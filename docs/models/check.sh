#!/usr/bin/env bash
# Checks the models with Spin, within bounds that take about a minute on two processors. Each line of the table is a run: the
# model, what is looked for (safety: assertions and invalid end states; cycles: endless runs), what must come of it (holds, or
# breaks: the run leaves a rule out), options of pan, and flags. Without spin or a C compiler it says so and checks nothing.
set -euo pipefail
cd "$(dirname "$0")"
for tool in spin "${CC:=cc}"; do
  command -v "$tool" >/dev/null || { echo "make models: SKIPPED, $tool is not installed (apt-get install spin gcc)"; exit 0; }
done

readonly ONE='-DIN1=1 -DIN2=1 -DREOPENS=0'
runs() {
  cat <<TABLE
facts    safety holds  -   $ONE -DCLOSES=1 -DCRASHES=1
facts    cycles holds  -   $ONE -DCLOSES=1 -DCRASHES=0
facts    safety holds  -   -DALIASES=2
facts    safety breaks -   $ONE -DCLOSES=0 -DCRASHES=0 -DSENDS=1 -DRULE=0
facts    safety breaks -   -DIN1=2 -DIN2=1 -DCLOSES=0 -DREOPENS=0 -DCRASHES=0 -DWEAK=2
outbound safety holds  -E  -DLAYOUT=2
outbound safety holds  -E  -DLAYOUT=2 -DTIMED=0
outbound safety breaks -E  -DLAYOUT=2 -DBUSY=0
outbound safety holds  -E  -DLAYOUT=5 -DGENS=1 -DPERM=1
outbound safety holds  -E  -DLAYOUT=5 -DPERM=1 -DKILLS=1 -DREFUSE=0 -DNOTNOW=0
outbound safety breaks -E  -DLAYOUT=5 -DGENS=1 -DPERM=1 -DRESUME=0
outbound safety breaks -E  -DLAYOUT=5 -DGENS=1 -DPERM=1 -DWAITALL=0
outbound safety holds  -E  -DLAYOUT=2 -DHANDLES=1 -DGENS=1
outbound safety breaks -E  -DLAYOUT=2 -DHANDLES=1 -DGENS=1 -DTAKE=0
outbound safety breaks -E  -DLAYOUT=2 -DHANDLES=1 -DGENS=1 -DSTALE=0
outbound safety holds  -E  -DLAYOUT=2 -DRETRY=1 -DSAME=1 -DREFUSE=0
outbound safety breaks -E  -DLAYOUT=2 -DRETRY=1 -DSAME=1 -DREFUSE=0 -DLINGER=0
outbound safety breaks -E  -DLAYOUT=2 -DRETRY=1 -DSAME=1 -DREFUSE=0 -DDONE=0
outbound safety breaks -E  -DLAYOUT=2 -DRETRY=1 -DSAME=1 -DREFUSE=0 -DKEEP=0
sessions safety holds  -E  -DMOVES=3
sessions safety breaks -E  -DONEBIND=0
sessions safety breaks -E  -DCUT=0
sessions safety breaks -E  -DACK=0
sessions safety holds  -E  -DHAND=1
sessions safety holds  -E  -DHAND=1 -DOLDROW=1
sessions safety holds  -E  -DHAND=1 -DOLDROW=2
sessions safety breaks -E  -DHAND=1 -DFORWARD=0
sessions safety breaks -E  -DHAND=1 -DOLDROW=1 -DHANDON=0
sessions safety breaks -E  -DHAND=1 -DOLDROW=2 -DOWNROW=0
receipts safety holds  -   -DKINDS0=9
receipts cycles holds  -   -DKINDS0=9
receipts safety holds  -   -DPARTS=2 -DKINDS0=5 -DKINDS1=9 -DFACTS=0
receipts safety breaks -   -DPARTS=2 -DKINDS0=5 -DKINDS1=1 -DCRASHES=0 -DDUPS=0 -DFACTS=0 -DMARKS=0 -DV_FAILED_EARLY
receipts safety breaks -   -DKINDS0=9 -DCRASHES=0 -DDUPS=0 -DFACTS=0 -DMARKS=0 -DV_LINK_LAST
windows  safety holds  -   -DCRASHES=1
windows  safety breaks -   -DTAKE=0
windows  safety breaks -   -DBACK=0
windows  safety breaks -   -DPROVEN=0
windows  safety breaks -   -DCARRY=2
windows  safety breaks -   -DAGAIN=0
routing  safety holds  -   -DHAND=1 -DPB=1 -DZK=0
routing  safety breaks -   -DHAND=1 -DPB=1 -DZK=0 -DNAIVE_EPOCHMOVE
routing  safety breaks -   -DHAND=1 -DPB=1 -DZK=3 -DNAIVE_ROOM
routing2 safety holds  -   -DNC=1 -DPB=1 -DDB=1
routing2 safety holds  -   -DNC=2 -DPB=0 -DDB=1 -DON=0 -DNB=2 -DRB=0
routing2 cycles holds  -   -DNC=1 -DPB=1 -DDB=1
routing2 safety breaks -   -DNC=1 -DPB=1 -DDB=1 -DNAIVE_INTENT
routing2 safety breaks -   -DNC=1 -DPB=1 -DDB=1 -DNAIVE_REASON
TABLE
}

# check makes one run in a folder of its own.
check() {
  local model=$1 look=$2 want=$3 option=$4 dir out states got=breaks
  shift 4
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' RETURN
  local -A kind=([safety]=-DSAFETY [cycles]=-DNP)
  local -a options=(-m200000)
  [ "$option" = - ] || options+=("$option")
  [ "$look" = safety ] || options+=(-l)
  (cd "$dir" && spin "$@" -a "$HERE/$model.pml" >/dev/null &&
    "$CC" -O1 -w "${kind[$look]}" -DCOLLAPSE -DNOREDUCE -DMEMLIM=2000 -DVECTORSZ=4096 -o pan pan.c) ||
    { echo "FAILED  $model $*: it does not compile"; return 1; }
  out=$("$dir/pan" "${options[@]}" 2>&1) || true
  states=$(sed -nE 's/^ *([0-9.e+]+) states, stored.*/\1/p' <<<"$out")
  # A search that was cut short proves nothing, whatever it found until then.
  grep -q 'errors: 0' <<<"$out" && ! grep -qE 'max search depth too small|Search not completed|out of memory' <<<"$out" && got=holds
  grep -q 'errors: ' <<<"$out" || got='gives no result'
  [ "$got" = "$want" ] || { echo "FAILED  $model $look $*: $got, and must be: $want"; return 1; }
  printf '%-9s %-7s %-7s %8s states  %s\n' "$model" "$look" "$got" "$states" "$*"
}

export -f check
export CC HERE=$PWD
runs | xargs -P "$(nproc)" -L 1 bash -c 'check "$@"' check
