#!/bin/sh
# Submits this pipeline to an orchestrator, follows it, and shows its tasks. Needs curl and POSIX tools.
set -eu

usage() {
  cat <<'TEXT'
Usage: ./submit-workflow.sh [--file CSV | --uri PATH | --records N]

  --file CSV    send this CSV along, inside the submission (up to 8 MB; default: the sample data)
  --uri PATH    analyse the CSV at this path of the services' shared storage, e.g. /app/data/meter.csv
  --records N   have N readings generated

Environment:
  ORCHESTRATOR_URL      default: a demo left running with --keep, else http://localhost:18000
  BLUEPRINT, DOCKERINFO default: those of that demo, else export/*.json
  ORCHESTRATOR_API_KEY  sent to the orchestrator
  SERVICE_API_KEY       handed on for its calls to the services
  STATE_FILE            where a demo with --data-dir left its state: DIR/local-run.json

Exit codes: 0 completed, 1 failed, 2 wrong usage, 5 the orchestrator cannot be reached or refused.
TEXT
}

die() {
  code=$1
  shift
  printf '%s\n' "$*" >&2
  exit "$code"
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
kind=file
value=$here/sample-data/household-energy.csv
case $# in
  0) ;;
  1) case $1 in -h | --help) usage; exit 0 ;; *) usage >&2; exit 2 ;; esac ;;
  2) case $1 in --file | --uri | --records) kind=${1#--} value=$2 ;; *) usage >&2; exit 2 ;; esac ;;
  *) usage >&2; exit 2 ;;
esac

# A field of the state file, which has one on each line.
state() {
  [ -f "$state_file" ] || return 0
  sed -n 's/^  "'"$1"'": "\(.*\)",\{0,1\}$/\1/p' "$state_file"
}
state_file=${STATE_FILE:-$here/data/local-run.json}
# An orchestrator that was named has services of its own: then the demo's state does not count.
[ -z "${ORCHESTRATOR_URL:-}" ] || state_file=
url=${ORCHESTRATOR_URL:-$(state orchestrator)}
blueprint=${BLUEPRINT:-$(state blueprint)}
dockerinfo=${DOCKERINFO:-$(state dockerinfo)}
url=${url:-http://localhost:18000}
blueprint=${blueprint:-$here/export/blueprint.json}
dockerinfo=${dockerinfo:-$here/export/dockerinfo.json}
for file in "$blueprint" "$dockerinfo"; do
  [ -f "$file" ] || die 2 "Expected a JSON file, found nothing at $file"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Text as it stands between the quotes of a JSON string.
escape() {
  printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g'
}

case $kind in
  file)
    [ -f "$value" ] || die 2 "Expected a CSV file, found nothing at $value"
    [ "$(wc -c <"$value")" -le 8000000 ] ||
      die 2 "$value is larger than 8 MB: put it on the services' shared storage and give its path there with --uri"
    protocol=inline format=csv
    base64 <"$value" | tr -d '\r\n' >"$work/uri"
    ;;
  uri)
    protocol=file format=csv
    escape "$value" >"$work/uri"
    ;;
  records)
    case $value in '' | *[!0-9]*) die 2 "Expected --records to be a number, found \"$value\"" ;; esac
    protocol=inline format=json
    printf '{"num_records":%s,"output_format":"csv"}' "$value" | base64 | tr -d '\r\n' >"$work/uri"
    ;;
esac

{
  printf '{"blueprint":'
  cat "$blueprint"
  printf ',"dockerinfo":'
  cat "$dockerinfo"
  printf ',"inputs":[{"protocol":"%s","format":"%s","uri":"' "$protocol" "$format"
  cat "$work/uri"
  printf '"}]'
  [ -z "${SERVICE_API_KEY:-}" ] || printf ',"services_api_key":"%s"' "$(escape "$SERVICE_API_KEY")"
  printf '}'
} >"$work/submission.json"

# Keys go through a file, because a command line can be read by every user of the machine.
printf 'silent\nshow-error\nmax-time = 60\nheader = "Content-Type: application/json"\n' >"$work/curl"
[ -z "${ORCHESTRATOR_API_KEY:-}" ] ||
  printf 'header = "Authorization: Bearer %s"\n' "$(escape "$ORCHESTRATOR_API_KEY")" >>"$work/curl"

# Calls the orchestrator; the answer is in $work/answer.
call() {
  path=$1
  shift
  status=$(curl -K "$work/curl" -o "$work/answer" -w '%{http_code}' "$@" "$url$path") ||
    die 5 "No orchestrator at $url. Start one: ./start.sh file_based_energy_pipeline (Docker), or npm run demo -- --keep"
  [ "$status" -lt 400 ] || die 5 "The orchestrator at $url answered $status: $(cat "$work/answer")"
}

# The first value of a text field in the answer.
field() {
  sed -n 's/^[^}]*"'"$1"'": *"\([^"]*\)".*/\1/p' "$work/answer" | head -n 1
}

call /workflows --data-binary "@$work/submission.json"
id=$(field workflow_id)
[ -n "$id" ] || die 5 "Expected a workflow_id, found: $(cat "$work/answer")"
printf 'Submitted %s to %s\n' "$id" "$url"

# One line per task: an object of the list begins with "task_id" and "node_key".
tasks() {
  call "/workflows/$id/tasks"
  tr '{' '\n' <"$work/answer" |
    sed -n 's/.*"node_key": *"\([^"]*\)", *"status": *"\([^"]*\)".*/\2 \1/p' |
    while read -r task_status node; do printf '  %-10s %s\n' "$task_status" "$node"; done
}

shown=
while :; do
  now=$(tasks)
  if [ "$now" != "$shown" ]; then
    printf '%s\n\n' "$now"
    shown=$now
  fi
  call "/workflows/$id"
  status_word=$(field status)
  case $status_word in
    completed)
      call "/workflows/$id/tasks"
      printf 'Completed. Outputs on the shared storage:\n'
      tr '{' '\n' <"$work/answer" | sed -n 's/.*"protocol": *"file", *"uri": *"\([^"]*\)".*/  \1/p' | sort -u
      tr ',{' '\n\n' <"$work/answer" | sed -n 's/.*"html_report": *"\([^"]*\)".*/HTML report: \1/p' | sort -u
      exit 0
      ;;
    failed)
      printf 'Failed: ' >&2
      sed -n 's/.*"error": *"\(.*\)"[^"]*$/\1/p' "$work/answer" | sed 's/\\"/"/g' >&2
      exit 1
      ;;
    pending | running) sleep 1 ;;
    *) die 5 "Expected a workflow's status, found: $(cat "$work/answer")" ;;
  esac
done
