#!/bin/sh
# Reports to Waybill which images run in a Kubernetes cluster: see ../README.md.
#
# What counts is what the nodes say that they run, and every digest that pods and their owners name, so that what is
# scaled to nothing or about to be pulled is kept too. Needs kubectl, and all that ../report.sh needs.
#
#   WAYBILL_IGNORE_LOCAL_IMAGES  1: containers of images that no registry has a digest of are left out. Else they end
#                                the report with an error: what they run is not known.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=../report.sh
. "${WAYBILL_REPORT_SH:-$here/../report.sh}"
require kubectl jq curl

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Each list is taken whole or not at all: a list that breaks off must not look like images that have gone.
kubectl get pods --all-namespaces --output json >"$work/pods" || fail 'kubectl cannot list pods'
kubectl get replicasets,statefulsets,daemonsets,jobs,cronjobs --all-namespaces --output json >"$work/owners" ||
  fail 'kubectl cannot list what owns pods'

# Containers that have begun, and of which the node names no digest of a manifest.
jq --raw-output '
  .items[] | .metadata as $pod | .status
  | ((.containerStatuses // []) + (.initContainerStatuses // []) + (.ephemeralContainerStatuses // []))[]
  | select((.imageID // "") != "" and (.imageID | test("@sha(256|512):[0-9a-f]+$") | not))
  | "\($pod.namespace)/\($pod.name) \(.name): \(.imageID)"' "$work/pods" >"$work/local" || fail 'kubectl gave pods that cannot be read'
if [ -s "$work/local" ] && [ "${WAYBILL_IGNORE_LOCAL_IMAGES:-}" != 1 ]; then
  cat "$work/local" >&2
  fail 'these run images of no registry; set WAYBILL_IGNORE_LOCAL_IMAGES=1 to leave them out'
fi

{
  jq --raw-output '
    .items[].status | ((.containerStatuses // []) + (.initContainerStatuses // []) + (.ephemeralContainerStatuses // []))[] | .imageID // ""' \
    "$work/pods" || exit 1
  jq --raw-output '.items[] | .. | objects | .image? // empty | strings' "$work/pods" "$work/owners" || exit 1
} >"$work/references" || fail 'kubectl gave lists that cannot be read'

sed -n 's/.*@\(sha256:[0-9a-f]\{64\}\)$/\1/p' "$work/references" >"$work/digests"
report kubernetes "$work/digests"
