#!/bin/sh
# Reports to Waybill which images a containerd node has: see ../README.md.
#
# All images of all namespaces count, whether a container uses them now or not: what a node has it may start again without
# asking a registry. Needs ctr, and all that ../report.sh needs.
#
#   CONTAINERD_ADDRESS  socket of containerd, where ctr's own default is not it
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=../report.sh
. "${WAYBILL_REPORT_SH:-$here/../report.sh}"
require ctr jq curl

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

ctr namespaces ls -q >"$work/namespaces" || fail 'ctr cannot list namespaces'
while IFS= read -r namespace; do
  [ -n "$namespace" ] || continue
  # REF TYPE DIGEST SIZE PLATFORMS LABELS
  ctr --namespace "$namespace" images ls </dev/null >"$work/images" || fail "ctr cannot list the images of $namespace"
  awk 'NR == 1 { if ($3 != "DIGEST") exit 1; next } $3 !~ /^sha256:[0-9a-f]+$/ { exit 1 } { print $3 }' "$work/images" >>"$work/digests" ||
    fail "ctr listed the images of $namespace in a way that this script does not understand"
done <"$work/namespaces"

touch "$work/digests"
report containerd "$work/digests"
