#!/bin/sh
# Submits this pipeline to an orchestrator, follows it, and shows its tasks. Needs curl and POSIX tools.
set -eu

show_options() {
  cat <<'TEXT'
Usage: ./submit-workflow.sh [--file CSV | --uri PATH | --records N]

  --file CSV    send this CSV along, inside the submission (up to 8 MB; default: the sample data);
                --input CSV is the same
  --uri PATH    analyse the CSV at this path of the services' shared storage, e.g. /app/data/meter.csv
  --records N   have N readings generated
TEXT
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
demo='npm run demo --'
. "$here/../../scripts/submit-workflow.sh"

show_outputs() {
  printf '\nCompleted. Outputs on the shared storage:\n'
  tr '{' '\n' <"$work/answer" | sed -n 's/.*"protocol": *"file", *"uri": *"\([^"]*\)".*/  \1/p' | sort -u
  tr ',{' '\n\n' <"$work/answer" | sed -n 's/.*"html_report": *"\([^"]*\)".*/HTML report: \1/p' | sort -u
}

kind=file
value=$here/sample-data/household-energy.csv
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

submit "$protocol" "$format"
