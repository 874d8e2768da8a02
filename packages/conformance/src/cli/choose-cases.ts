import type { ConformanceCase } from "../engine/case.ts";
import { UsageError } from "./errors.ts";

/**
 * Which of the cases the globs mean: by id (`T04`), slug (`conc/visible-at-once`, `conc/**`) or
 * profile (`concurrent`). @throws UsageError where a glob means none
 */
export function chooseCases(
  flag: string,
  globs: readonly string[],
  cases: readonly ConformanceCase[],
): Set<ConformanceCase> {
  const chosen = new Set<ConformanceCase>();
  for (const glob of globs) {
    const pattern = toPattern(glob);
    const found = cases.filter(({ id, slug, profile }) =>
      [id, slug, profile].some((name) => pattern.test(name)),
    );
    if (found.length === 0) {
      throw new UsageError(
        `Expected --${flag} to name a case (T04, conc/visible-at-once, conc/**) or a profile, found "${glob}"; see aieffect-conformance list`,
      );
    }
    for (const one of found) chosen.add(one);
  }
  return chosen;
}

/** `*` is anything but a slash, `**` is anything. */
function toPattern(glob: string): RegExp {
  const parts = glob.split(/(\*\*|\*|\?)/).map((part) => {
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    return part === "?" ? "[^/]" : part.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`, "i");
}
