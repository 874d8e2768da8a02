# What the use cases' submit-workflow.sh share; read in by them with `.`, never run by itself. They
# set $here (the use case's folder) and $demo (the command that starts its demo), and define show_options,
# the beginning of the usage, and show_outputs, which shows what is in $work/answer: the tasks of a
# workflow that completed.

die() {
  code=$1
  shift
  printf '%s\n' "$*" >&2
  exit "$code"
}

usage() {
  show_options
  cat <<'TEXT'

Environment:
  ORCHESTRATOR_URL      default: a demo left running with --keep, else http://localhost:18000
  BLUEPRINT, DOCKERINFO default: those of that demo, else export/*.json
  ORCHESTRATOR_API_KEY  sent to the orchestrator
  SERVICE_API_KEY       handed on for its calls to the services
  STATE_FILE            where a demo with --data-dir left its state: DIR/local-run.json

Exit codes: 0 completed, 1 failed, 2 wrong usage, 5 the orchestrator cannot be reached or refused.
TEXT
}

wrong() {
  printf '%s\n\n' "$1" >&2
  usage >&2
  exit 2
}

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

# Calls the orchestrator; the answer is in $work/answer.
call() {
  path=$1
  shift
  status=$(curl -K "$work/curl" -o "$work/answer" -w '%{http_code}' "$@" "$url$path") ||
    die 5 "No orchestrator at $url. Start one: ./start.sh ${here##*/} (Docker), or $demo --keep"
  [ "$status" -lt 400 ] || die 5 "The orchestrator at $url answered $status: $(cat "$work/answer")"
}

# The first value of a text field in the answer.
field() {
  sed -n 's/^[^}]*"'"$1"'": *"\([^"]*\)".*/\1/p' "$work/answer" | head -n 1
}

# One line per task: an object of the list begins with "task_id" and "node_key".
tasks() {
  call "/workflows/$id/tasks"
  tr '{' '\n' <"$work/answer" |
    sed -n 's/.*"node_key": *"\([^"]*\)", *"status": *"\([^"]*\)".*/\2 \1/p' |
    while read -r task_status node; do printf '  %-10s %s\n' "$task_status" "$node"; done
}

# Submits the input whose protocol and format these are, with its uri in $work/uri, follows the workflow,
# and exits as it ended.
submit() {
  protocol=$1 format=$2
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

  call /workflows --data-binary "@$work/submission.json"
  id=$(field workflow_id)
  [ -n "$id" ] || die 5 "Expected a workflow_id, found: $(cat "$work/answer")"
  printf 'Submitted %s to %s\n' "$id" "$url"

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
        show_outputs
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
}
