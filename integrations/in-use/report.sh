#!/bin/sh
# Sends one report of what is in use to Waybill. To be read ("." ) by the scripts beside it, which say where the digests come from.
#
# Needs curl and jq. Takes from the environment:
#   WAYBILL_API_URL       where the API is
#   WAYBILL_API_KEY       a key that holds in-use:report; or WAYBILL_API_KEY_FILE, a file with it
#   WAYBILL_REPORTER      name of this reporter; it belongs to the key's principal from the first report on
#   WAYBILL_EVERY         how often this runs, e.g. 5m; silent for more than three times as long it is missed
#   WAYBILL_REGISTRIES    JSON array of patterns over registries that it sees; default ["*"]
#   WAYBILL_REPOSITORIES  JSON array of patterns over repositories that it sees; default ["**"]

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  exit 1
}

require() {
  for program in "$@"; do
    command -v "$program" >/dev/null 2>&1 || fail "$program is not installed"
  done
}

api_key() {
  if [ -n "${WAYBILL_API_KEY_FILE:-}" ]; then
    cat -- "$WAYBILL_API_KEY_FILE"
  else
    printf '%s' "${WAYBILL_API_KEY:-}"
  fi
}

# report KIND FILE: FILE holds one digest on each line, in any order, any number of times.
report() {
  kind=$1
  digests=$2
  [ -n "${WAYBILL_API_URL:-}" ] || fail 'WAYBILL_API_URL is not set'
  [ -n "${WAYBILL_REPORTER:-}" ] || fail 'WAYBILL_REPORTER is not set'
  key=$(api_key) || fail 'the API key cannot be read'
  [ -n "$key" ] || fail 'neither WAYBILL_API_KEY nor WAYBILL_API_KEY_FILE says a key'

  body=$(mktemp)
  jq --null-input --compact-output --raw-input \
    --arg reporter "$WAYBILL_REPORTER" --arg kind "$kind" --arg every "${WAYBILL_EVERY:-5m}" \
    --argjson registries "${WAYBILL_REGISTRIES:-[\"*\"]}" --argjson repositories "${WAYBILL_REPOSITORIES:-[\"**\"]}" \
    '{ reporter: $reporter, kind: $kind, every: $every, covers: { registries: $registries, repositories: $repositories },
       digests: [inputs | select(length > 0)] | unique | map({ digest: . }) }' <"$digests" >"$body" ||
    { rm -f "$body"; fail 'the report cannot be made: are WAYBILL_REGISTRIES and WAYBILL_REPOSITORIES JSON arrays?'; }

  # The key goes by standard input: arguments can be read by others on the machine.
  status=0
  printf 'header = "Authorization: Bearer %s"\n' "$key" |
    curl --config - --silent --show-error --fail-with-body --max-time 30 --retry 3 \
      --header "Idempotency-Key: $WAYBILL_REPORTER-$(date +%s)-$$" --header 'Content-Type: application/json' \
      --data-binary "@$body" "${WAYBILL_API_URL%/}/api/v1/in-use" || status=$?
  rm -f "$body"
  printf '\n'
  [ "$status" -eq 0 ] || fail 'Waybill did not take the report'
}
