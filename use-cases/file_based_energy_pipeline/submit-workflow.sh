#!/bin/sh
# Submits this pipeline to an orchestrator, follows it, and shows its tasks. Needs curl and POSIX tools.
set -eu

usage() {
  cat <<'TEXT'
Usage: ./submit-workflow.sh [--file CSV | --uri PATH | --records N]

  --file CSV    send this CSV along, inside the submission (up to 8 MB; default: the sample data);
                --input CSV is the same
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
wrong() {
  printf '%s\n\n' "$1" >&2
  usage >&2
  exit 2
}

if [ $# -gt 0 ]; then
  case $1 in
    -h | --help) usage; exit 0 ;;
    --file | --input) kind=file ;;
    --uri | --records) kind=${1#--} ;;
    *) wrong "Expected --file, --uri or --records, found $1" ;;
  esac
  [ $# -gt 1 ] || wrong "Expected a value after $1, found none"
  [ $# -eq 2 ] || wrong "Expected one option with its value, found also $3"
  value=$2
fi

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
  call "/workflows/$id"
  status_word=$(field status)
  cp "$work/answer" "$work/workflow"
  # Asked for second, so that the tasks of a workflow that has ended are shown as they ended.
  now=$(tasks)
  if [ "$now" != "$shown" ]; then
    printf '\n%s\n' "$now"
    shown=$now
  fi
  case $status_word in
    completed)
      call "/workflows/$id/tasks"
      printf '\nCompleted. Outputs on the shared storage:\n'
      tr '{' '\n' <"$work/answer" | sed -n 's/.*"protocol": *"file", *"uri": *"\([^"]*\)".*/  \1/p' | sort -u
      tr ',{' '\n\n' <"$work/answer" | sed -n 's/.*"html_report": *"\([^"]*\)".*/HTML report: \1/p' | sort -u
      exit 0
      ;;
    failed)
      node=$(printf '%s\n' "$now" | sed -n 's/^  failed  *//p' | head -n 1)
      error=$(sed -n 's/.*"error": *"\(.*\)"[^"]*$/\1/p' "$work/workflow" | sed 's/\\\(["\\]\)/\1/g')
      printf '\nFailed%s: %s\n' "${node:+ in $node}" "$error" >&2
      exit 1
      ;;
    pending | running) sleep 1 ;;
    *) die 5 "Expected a workflow's status, found: $(cat "$work/workflow")" ;;
  esac
done
