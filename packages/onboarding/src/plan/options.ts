import { isCreationDate } from "../model/creation-date.ts";
import type { PlanOptions } from "./export-plan.ts";

/** Options with every default filled in. */
export interface ResolvedPlanOptions {
  profile: "portal" | "ai4eu-strict";
  align: boolean;
  local: boolean;
  /** Without a slash at its end; empty for none. */
  registry: string;
  tag: string;
  digests: Readonly<Record<string, string>>;
  creation_date: string | undefined;
}

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const registryPattern = new RegExp(
  `^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\\d{1,5})?|\\[[0-9a-fA-F:]+\\](?::\\d{1,5})?)(?:/${component})*$`,
);
const imagePattern = new RegExp(`^${component}$`);

/** Whether a text can be one part of an image's name. */
export function isImageName(text: string): boolean {
  return text.length <= 255 && imagePattern.test(text);
}

/** Fills defaults and checks what was given. @throws TypeError naming the option */
export function resolvePlanOptions(given: PlanOptions = {}): ResolvedPlanOptions {
  const { profile = "portal", align = false, local = false, tag = "latest", digests = {} } = given;
  const registry = (given.registry ?? "").replace(/\/+$/, "");
  if (profile !== "portal" && profile !== "ai4eu-strict") {
    throw new TypeError(`Expected profile to be portal or ai4eu-strict, got "${profile}"`);
  }
  if (registry !== "" && !registryPattern.test(registry)) {
    throw new TypeError(`Expected registry to be as in registry.example.org/energy, got "${registry}"`);
  }
  if (!/^\w[\w.-]{0,127}$/.test(tag)) {
    throw new TypeError(`Expected tag to be as in latest or 1.2.0, got "${tag}"`);
  }
  for (const [image, digest] of Object.entries(digests)) {
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
      throw new TypeError(`Expected the digest of ${image} to be sha256: and 64 hex digits, got "${digest}"`);
    }
  }
  const { creation_date } = given;
  if (creation_date !== undefined && !isCreationDate(creation_date)) {
    throw new TypeError(`Expected creation_date to be as in 2026-02-25 01:55:50, got "${creation_date}"`);
  }
  return { profile, align, local, registry, tag, digests, creation_date };
}
