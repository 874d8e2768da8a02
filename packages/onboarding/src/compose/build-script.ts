import type { ExportPlan } from "../plan/export-plan.ts";
import { planCompose } from "./compose-model.ts";

/**
 * The text of build_and_tag.sh: builds every image of the use case, and gives it the name that the
 * export uses. Run from anywhere; it goes to its own folder, which has to be the use case's.
 */
export function writeBuildScript(plan: ExportPlan): string {
  const { services } = planCompose(plan);
  const tags = services.map(
    ({ host, image }) => `tag ${quote(host)} ${quote(image.replace(/@sha256:.*$/, ""))}`,
  );
  return `#!/bin/sh
# Builds the images of ${plan.metadata.use_case_name} with its docker-compose.yml, and tags each as blueprint.json names it.
set -eu
cd -- "$(dirname -- "$0")"

docker compose build

tag() {
  built=$(docker compose config --images "$1" | head -n 1)
  if [ -z "$built" ]; then
    printf 'Expected docker-compose.yml to have a service %s with an image, found none\\n' "$1" >&2
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
