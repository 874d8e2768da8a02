import { type Deployment, planCompose } from "./compose-model.ts";

/**
 * The text of build_and_tag.sh: builds every image of the use case, and gives it the name that the
 * export uses. Run from anywhere; it goes to its own folder, which has to be the use case's.
 */
export function writeBuildScript(plan: Deployment): string {
  const { services } = planCompose(plan);
  const tags = services.map(
    ({ host, image }) => `tag ${quote(host)} ${quote(image.replace(/@sha256:.*$/, ""))}`,
  );
  return `#!/bin/sh
# Builds the images of ${plan.metadata.use_case_name} with its docker-compose.yml, and tags each as blueprint.json names it.
set -eu
cd -- "$(dirname -- "$0")"

docker compose build

# What compose calls the image of each service: config --images tells it for those that one depends on, too.
config=$(docker compose config)
image_of() {
  printf '%s\\n' "$config" | awk -v service="$1" '
    { gsub(/["\\047]/, "") }
    /^name:/ { project = $2 }
    /^[^ ]/ { inside = /^services:/; next }
    !inside { next }
    {
      match($0, /^ */)
      if (!step) step = RLENGTH
      if (RLENGTH == step) { name = $1; sub(/:$/, "", name); if (name == service) found = 1 }
      if (RLENGTH == 2 * step && name == service && $1 == "image:") image = $2
    }
    END { if (found) print image == "" ? project "-" service : image }'
}

tag() {
  built=$(image_of "$1")
  if [ -z "$built" ]; then
    printf 'Expected docker-compose.yml to have a service %s, found none\\n' "$1" >&2
    exit 1
  fi
  [ "$built" = "$2" ] || docker tag "$built" "$2"
  printf '%s\\n' "$2"
}

${tags.join("\n")}
`;
}

/** As one word of the shell, whatever is in it. */
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
