#!/bin/sh
# Stops what start.sh brought up: the use case's services, then the orchestrator and the network.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
network=ai-effect-services

list() {
  for file in "$root"/use-cases/*/docker-compose.yml; do
    [ -f "$file" ] || continue
    printf '  %s\n' "$(basename "$(dirname "$file")")"
  done
}

if [ $# -ne 1 ] || [ "$1" = --help ] || [ "$1" = -h ]; then
  printf 'Usage: ./stop.sh USE_CASE\n\nResults stay in the volumes. Use cases:\n'
  list
  [ "${1:-}" = --help ] || [ "${1:-}" = -h ] || exit 2
  exit 0
fi

use_case=$(basename "$1")
folder=$root/use-cases/$use_case
if [ ! -f "$folder/docker-compose.yml" ]; then
  printf 'There is no use case "%s". Use cases:\n' "$1" >&2
  list >&2
  exit 2
fi

if ! docker compose version >/dev/null 2>&1; then
  printf 'Docker with its compose plugin is not here, so nothing of it runs.\n' >&2
  printf 'A demo (npm run demo) stops with Ctrl-C.\n' >&2
  exit 1
fi

docker compose -f "$folder/docker-compose.yml" down

# Another use case may still need the orchestrator and the network.
others=$(docker network inspect "$network" --format '{{range .Containers}}{{println .Name}}{{end}}' 2>/dev/null |
  grep -v orchestrator | grep -c . || true)
if [ "${others:-0}" -gt 0 ]; then
  printf 'The orchestrator stays up: other services are still on the network %s.\n' "$network"
  exit 0
fi
docker compose -f "$root/orchestrator-lite/docker-compose.yml" down
docker network rm "$network" >/dev/null 2>&1 || true
