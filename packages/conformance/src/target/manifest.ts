import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type CollectionTag, parseDocument, type ScalarTag, YAMLMap, YAMLSeq } from "yaml";
import * as z from "zod";
import { profiles } from "../engine/case.ts";
import type { Mode, Sample, SampleReference } from "./sample.ts";

const duration = z
  .string()
  .regex(/^\d+(\.\d+)?\s*(ms|s|m|h)$/, "expected a duration, as in 500ms, 60s or 10m");

const referenceSchema = z.looseObject({
  protocol: z.string(),
  uri: z.union([
    z.string(),
    z.strictObject({ $json: z.unknown() }),
    z.strictObject({ $b64: z.string() }),
    z.strictObject({ $fixture: z.string().min(1) }),
  ]),
  format: z.string(),
});

const sampleSchema = z.strictObject({
  inputs: z.array(referenceSchema).default([]),
  parameters: z.record(z.string(), z.unknown()).optional(),
  expect: z.enum(["complete", "failed"]).optional(),
  "expect-at-least": duration.optional(),
});

const methodSchema = z.strictObject({
  mode: z.enum(["sequential", "concurrent", "either"]).optional(),
  sink: z.boolean().default(false),
  "max-duration": duration.optional(),
  samples: z.record(z.string(), sampleSchema).default({}),
  feeds: z.array(z.string()).optional(),
  compare: z
    .strictObject({
      mode: z.enum(["bytes", "json", "shape", "none"]).optional(),
      ignore: z.array(z.string()).default([]),
    })
    .default({ ignore: [] }),
});

/** A failure that is known: it does not fail a run, until it is gone. */
export const knownFailingSchema = z.strictObject({
  id: z.string(),
  reason: z.string().min(1),
  issue: z.string().optional(),
  until: z.iso.date().optional(),
});

/** `conformance.yaml`: everything in it is optional. */
export const manifestSchema = z.strictObject({
  $schema: z.string().optional(),
  target: z.strictObject({ url: z.url().optional(), token: z.string().optional() }).default({}),
  claims: z.array(z.enum(profiles)).optional(),
  methods: z.record(z.string(), methodSchema).default({}),
  data: z
    .strictObject({
      "origin-map": z.record(z.string(), z.string()).default({}),
      share: z.string().optional(),
      "fixture-host": z.string().optional(),
      "fixture-port": z.number().int().min(0).max(65_535).optional(),
    })
    .default({ "origin-map": {} }),
  budget: z.record(z.string(), z.union([z.number(), z.string()])).default({}),
  "known-failing": z.array(knownFailingSchema).default([]),
});

/** What a manifest says, with defaults filled in. */
export type Manifest = z.infer<typeof manifestSchema>;

/** A manifest that cannot be used: every problem of it, one a line. */
export class ManifestError extends Error {}

/** Reads a manifest; YAML, so JSON too. @throws ManifestError */
export async function readManifest(file: string): Promise<Manifest & { folder: string }> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new ManifestError(
      `Expected a manifest that can be read at ${file}; write one with: aieffect-conformance init <url>`,
      { cause },
    );
  }
  return { ...parseManifest(text, file), folder: dirname(resolve(file)) };
}

/** Parses a manifest. @throws ManifestError */
export function parseManifest(text: string, file = "conformance.yaml"): Manifest {
  const document = parseDocument(text, {
    customTags: [...jsonTags, jsonScalarTag, ...scalarTags],
    prettyErrors: true,
  });
  const [broken] = document.errors;
  if (broken !== undefined) throw new ManifestError(`${file}: ${broken.message}`);
  const parsed = manifestSchema.safeParse(withoutEmpty(document.toJS() ?? {}));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${file}: ${path.join(".") || "(top)"}: ${message}`,
  );
  throw new ManifestError(problems.join("\n"));
}

/** Without the sections in which all lines are comments, or none is left. */
function withoutEmpty(manifest: unknown): unknown {
  if (manifest === null || typeof manifest !== "object" || Array.isArray(manifest)) return manifest;
  return Object.fromEntries(Object.entries(manifest).filter(([, section]) => section !== null));
}

/** `!json {x: 1}` and `!json [1, 2]`: the uri of an inline reference with that JSON. */
const jsonTags: CollectionTag[] = (["map", "seq"] as const).map((collection) => ({
  tag: "!json",
  collection,
  nodeClass: collection === "map" ? YAMLMap : YAMLSeq,
  resolve(value) {
    const wrapped = new YAMLMap();
    wrapped.set("$json", value);
    return wrapped;
  },
}));

/** `!json 5` and `!json '{"x": 1}'`: a scalar is JSON as it stands, any other text a string. */
const jsonScalarTag: ScalarTag = {
  tag: "!json",
  resolve(text: string) {
    try {
      return { $json: JSON.parse(text) };
    } catch {
      return { $json: text };
    }
  },
};

/** `!b64 "text"` and `!fixture b.csv`. */
const scalarTags: ScalarTag[] = ["b64", "fixture"].map((name) => ({
  tag: `!${name}`,
  resolve: (text: string) => ({ [`$${name}`]: text }),
}));

/** Milliseconds of a duration as manifests write it. */
export function parseDuration(text: string): number {
  const [, amount = "0", unit = "s"] = /^([\d.]+)\s*(ms|s|m|h)$/.exec(text.trim()) ?? [];
  return Number(amount) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as "ms"];
}

const longestByDefault_ms = 60_000;

/** All samples of a manifest; a method whose mode is not said gets the one given. */
export function samplesOf(manifest: Pick<Manifest, "methods">, modeOf: (method: string) => Mode): Sample[] {
  return Object.entries(manifest.methods).flatMap(([method, given]) =>
    Object.entries(given.samples).map(
      ([name, sample]): Sample => ({
        method,
        name,
        mode: given.mode ?? modeOf(method),
        sink: given.sink,
        inputs: sample.inputs as SampleReference[],
        parameters: sample.parameters,
        expect: sample.expect ?? (name === "fail" ? "failed" : "complete"),
        at_least_ms: sample["expect-at-least"] === undefined ? 0 : parseDuration(sample["expect-at-least"]),
        max_duration_ms:
          given["max-duration"] === undefined ? longestByDefault_ms : parseDuration(given["max-duration"]),
        compare: given.compare,
        feeds: given.feeds,
      }),
    ),
  );
}
