#!/bin/sh
# Submits this pipeline to an orchestrator, follows it, and shows its tasks. Needs curl and POSIX tools.
set -eu

show_options() {
  cat <<'TEXT'
Usage: ./submit-workflow.sh [--records N] [--seed N]

  --records N   have N readings generated (default: 50)
  --seed N      the same seed gives the same readings and the same report (default: a random one)
TEXT
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
demo='npm run demo -- --pipeline protobuf'
. "$here/../../scripts/submit-workflow.sh"

show_outputs() {
  printf '\nCompleted. Outputs, as the newest results of these servers and methods:\n'
  tr '{' '\n' <"$work/answer" |
    sed -n 's/.*"protocol": *"grpc", *"uri": *"\([^"]*\)", *"format": *"\([^"]*\)".*/  \1 \2/p' | sort -u
  tr ',{' '\n\n' <"$work/answer" | sed -n 's/.*"report": *"\([^"]*\)".*/Report: \1/p' | sort -u
}

records=50
seed=
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --records | --seed) ;;
    *) wrong "Expected --records or --seed, found $1" ;;
  esac
  [ $# -gt 1 ] || wrong "Expected a value after $1, found none"
  case $2 in '' | *[!0-9]*) die 2 "Expected $1 to be a number, found \"$2\"" ;; esac
  case $1 in
    --records) records=$2 ;;
    --seed) seed=$2 ;;
  esac
  shift 2
done

printf '{"num_records":%s%s}' "$records" "${seed:+,\"seed\":$seed}" | base64 | tr -d '\r\n' >"$work/uri"
submit inline json
