#!/bin/sh
# Brings up a use case with Docker: the network, the orchestrator, the use case's services.
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
  printf 'Usage: ./start.sh USE_CASE\n\nUse cases:\n'
  list
  [ "${1:-}" = --help ] || [ "${1:-}" = -h ] || exit 2
  exit 0
fi

# As typed with completion: use-cases/name/ is name.
use_case=$(basename "$1")
folder=$root/use-cases/$use_case
if [ ! -f "$folder/docker-compose.yml" ]; then
  printf 'There is no use case "%s". Use cases:\n' "$1" >&2
  list >&2
  exit 2
fi

# The name that the demo has for it.
case $use_case in
  file_based_energy_pipeline) demo='npm run demo' ;;
  protobuf_based_energy_pipeline) demo='npm run demo -- --pipeline protobuf' ;;
  *) demo='npm run demo -- --pipeline NAME' ;;
esac
if ! docker compose version >/dev/null 2>&1; then
  printf 'Docker with its compose plugin is needed to start containers, and is not here.\n' >&2
  printf 'Without Docker, the same pipeline runs on this machine with: %s\n' "$demo" >&2
  exit 1
fi
if ! docker info >/dev/null 2>&1; then
  printf 'Docker is installed, but its daemon does not answer: start it, or check that you may use it.\n' >&2
  printf 'Without Docker, the same pipeline runs on this machine with: %s\n' "$demo" >&2
  exit 1
fi

docker network inspect "$network" >/dev/null 2>&1 || docker network create "$network"
docker compose -f "$root/orchestrator-lite/docker-compose.yml" up -d --build --wait
docker compose -f "$folder/docker-compose.yml" up -d --build --wait

printf '\n%s runs. Submit its workflow:\n  use-cases/%s/submit-workflow.sh\n' "$use_case" "$use_case"
printf 'Stop it:\n  ./stop.sh %s\n' "$use_case"
