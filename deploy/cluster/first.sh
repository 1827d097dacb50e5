#!/usr/bin/env bash
# first.sh: the image of the version in which the chart was committed first, from which upgrades are tested. A checkout that does not reach
# back to it has none; the first chart is then tested with the image of today.
set -euo pipefail
cd "$(dirname "$0")"; . ./env.sh
commit=c2a0bdd622cb3bab5bcc224628161b5663fc29a3
[ -f "$IMAGES/first.tar" ] && exit
git cat-file -e "$commit^{tree}" 2>/dev/null || { echo "the first version $commit is not in this checkout"; exit; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo "building the image of the first version"
git -C ../.. archive "$commit" | tar -x -C "$dir"
make -s -C "$dir" images VERSION=first >/dev/null
mv "$dir/bin/tributary.tar" "$IMAGES/first.tar"
