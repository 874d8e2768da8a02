import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { History, type ReceivedReply } from "../wire/exchange.ts";
import { createWire } from "../wire/send.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { type FlagGroup, readFlags } from "./flags.ts";
import { reach } from "./reach.ts";
import { readToken } from "./read-token.ts";
import { checkUrl } from "./test-plan.ts";

/** The flags of `init`. */
export const initFlags: readonly FlagGroup[] = [
  {
    title: "Options",
    flags: [
      {
        name: "token",
        value: "WHERE",
        help: "the service's key: env:NAME, file:PATH, or - for standard input",
      },
      { name: "config", value: "FILE", help: "what is written (conformance.yaml)" },
      { name: "force", help: "also over one that is there" },
      { name: "help", help: "this text" },
    ],
  },
];

/** A method as far as the service tells. */
interface Told {
  name: string;
  style: string | undefined;
  sink: boolean;
  parameters: unknown;
  inputs: readonly { protocols?: unknown; formats?: unknown }[] | undefined;
}

/** Writes a manifest out of what the service tells of itself. @returns the exit code */
export async function init(args: readonly string[], context: CommandContext): Promise<number> {
  const { given, positionals } = readFlags("init", args, initFlags);
  if (positionals.length !== 1) {
    throw new UsageError(
      "Expected the URL of a service, as in: aieffect-conformance init http://localhost:8080",
    );
  }
  const url = checkUrl(positionals[0] as string);
  const name = given.get("config")?.[0] ?? "conformance.yaml";
  const file = resolve(context.folder, name);
  if (existsSync(file) && !given.has("force")) {
    throw new UsageError(`${name} is there already; --force writes over it`);
  }
  if (!given.has("config") && !given.has("force")) await assertNoSamples(context.folder);
  const where = given.get("token")?.[0];
  const token =
    where === undefined
      ? undefined
      : await readToken(where, { from: "flag", folder: context.folder }, context);
  await reach(url);
  const { methods, from } = await askMethods(url, token);
  await writeFile(file, toManifest({ url, token: keyOf(where), methods }));
  const told = methods.length === 0 ? "no method names were told" : `${methods.length} methods, from ${from}`;
  context.stdout.write(
    `Wrote ${name} (${told}).\nFill in what its comments ask for, then: aieffect-conformance test\n`,
  );
  return exitCodes.conformant;
}

/** Generated services have better samples than could be guessed, and conformance.yaml goes before them. */
async function assertNoSamples(folder: string): Promise<void> {
  const samples = join(folder, "conformance");
  const names = existsSync(samples) ? (await readdir(samples)).filter((name) => /\.ya?ml$/.test(name)) : [];
  if (names.length === 0) return;
  throw new UsageError(
    `conformance/ says what may be called already (${names.sort().join(", ")}), and "aieffect test" reads it; --force writes a conformance.yaml, which is then read instead`,
  );
}

/** A key that was given as it is does not go into a file. */
function keyOf(where: string | undefined): string | undefined {
  return where !== undefined && /^(env|file):/.test(where) ? where : undefined;
}

async function askMethods(
  url: string,
  token: string | undefined,
): Promise<{ methods: Told[]; from: string }> {
  const wire = createWire(new History(), { base_url: url, token, timeout_ms: 10_000, caseId: () => "" });
  try {
    const { reply } = await wire.send({ path: "/control/operations" });
    const operations = reply?.status === 200 ? readOperations(reply) : undefined;
    if (operations !== undefined) return { methods: operations, from: "GET /control/operations" };
    const probe = { method: "NoSuchMethod", workflow_id: "init", task_id: "init", inputs: [] };
    const refused = await wire.send({ method: "POST", path: "/control/execute", body: probe });
    const names = refused.reply === undefined ? [] : readAvailable(refused.reply.body.toString());
    const bare = { style: undefined, sink: false, parameters: undefined, inputs: undefined };
    return { methods: names.map((name) => ({ name, ...bare })), from: "its answer to an unknown method" };
  } finally {
    wire.close();
  }
}

function readOperations({ body }: ReceivedReply): Told[] | undefined {
  try {
    const { operations } = JSON.parse(body.toString());
    if (!Array.isArray(operations)) return undefined;
    return operations
      .filter((one) => typeof one?.name === "string" && one.name !== "")
      .map(({ name, style, sink, parameters, inputs }) => ({
        name,
        style: style === "sequential" || style === "concurrent" ? style : undefined,
        sink: sink === true,
        parameters,
        inputs: Array.isArray(inputs)
          ? inputs.filter((one) => one !== null && typeof one === "object")
          : undefined,
      }));
  } catch {
    // Another page under that path.
    return undefined;
  }
}

/** Method names out of `Unknown method: X. Available: ['A', 'B']` and its like. */
export function readAvailable(text: string): string[] {
  const [, list = ""] =
    /\b(?:available|this service has|known|supported|valid)\b(?: methods| operations)?(?: are)?\s*:?\s*(?:[a-z_]*[[({]+)?([^\])}"]*)/i.exec(
      // The list may stand in JSON, with its quotes escaped.
      text.replace(/\\?["']/g, (quote) => (quote.startsWith("\\") || quote === "'" ? "" : quote)),
    ) ?? [];
  const names = list.split(/[,\s]+/).map((name) => name.replace(/^[^\w]+|[^\w]+$/g, ""));
  return [...new Set(names.filter((name) => /^[A-Za-z_][\w.-]{0,100}$/.test(name) && name !== "and"))];
}

function toManifest({
  url,
  token,
  methods,
}: {
  url: string;
  token: string | undefined;
  methods: Told[];
}): string {
  const key =
    token === undefined
      ? "# token: env:SERVICE_API_KEY   # where its key is, if it has one"
      : `token: ${quoted(token)}`;
  const own = methods.length === 0 ? exampleMethod : methods.map(methodOf).join("\n");
  return `# What aieffect-conformance may call, and what comes of it. Everything here is optional:
# the more it knows, the more it can test. \`aieffect-conformance test --dry-run\` tells what is missing.
target:
  url: ${quoted(url)}
  ${key}

# What this service says it is; what cannot be tested then counts as not proven.
# claims: [core, sequential, concurrent, auth, data-plane, robustness, isolation]

methods:
${own}
# data:
#   share: ./data                                          # the folder here that the service sees as its own
#   fixture-host: host.docker.internal                     # this machine, as the service reaches it
#   origin-map: { "http://svc:8080": "http://localhost:8080" }   # its URLs, as they are reached from here

# known-failing:
#   - { id: A05, reason: "the framework's default", until: 2030-01-31 }
`;
}

const exampleMethod = `  # No method name was told. Put one here, and what it is called with:
  # YourMethod:
  #   mode: concurrent            # sequential: answers with the result; concurrent: answers running
  #   max-duration: 60s
  #   samples:
  #     a: { inputs: [{ protocol: inline, uri: !json { x: 1 }, format: json }], parameters: { k: 1 } }
  #     b: { inputs: [{ protocol: inline, uri: !json { x: 2 }, format: json }], parameters: { k: 2 } }
  #     fail: { inputs: [{ protocol: inline, uri: !b64 "what it cannot read", format: json }] }
  #     slow: { parameters: { n: 100000 }, expect-at-least: 2s }
`;

/** One method, with samples as far as they can be guessed. */
function methodOf({ name, style, sink, parameters, inputs }: Told): string {
  const mode =
    style === undefined
      ? "    # mode: concurrent   # sequential answers with the result, concurrent answers running"
      : `    mode: ${style}`;
  const references = inputs?.map(inputOf);
  const members = [
    ...(references === undefined || references.length === 0 ? [] : [`inputs: [${references.join(", ")}]`]),
    ...parametersOf(parameters),
  ];
  const sample = members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
  const isGuess =
    references === undefined ? "   # add its inputs and parameters" : "   # guessed: see that it completes";
  const slow =
    style === "sequential"
      ? []
      : [
          "      # slow: { parameters: { n: 100000 }, expect-at-least: 2s }   # one that runs for 2 s or more",
        ];
  return [
    `  ${quoted(name)}:`,
    mode,
    ...(sink ? ["    sink: true"] : []),
    ...(style === "sequential" ? [] : ["    # max-duration: 60s"]),
    "    samples:",
    `      a: ${sample}${isGuess}`,
    "      # b: ...      # as a, but with another result: then mixed up results are found",
    '      # fail: { inputs: [{ protocol: inline, uri: !b64 "what it cannot read", format: json }] }',
    ...slow,
    '    # compare: { mode: json, ignore: ["$.timestamp"] }   # where two runs of a differ by nature',
    "",
  ].join("\n");
}

function inputOf({ formats }: { formats?: unknown }): string {
  const known = Array.isArray(formats) ? formats.filter((one) => typeof one === "string") : [];
  const format = known[0] ?? "json";
  const uri = { json: "!json { x: 1 }", csv: '!b64 "time,value\\n00:00,1\\n00:15,2\\n"' }[format as "json"];
  return `{ protocol: inline, uri: ${uri ?? '!b64 "an example"'}, format: ${quoted(format)} }`;
}

/** Those that the schema demands, filled in as it says they look. */
function parametersOf(schema: unknown): string[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Record<string, Record<string, unknown>>;
    required?: string[];
  };
  const all = Object.entries(properties).flatMap(([name, property]) => {
    if (property.default !== undefined) return [[name, property.default] as const];
    return required.includes(name) ? [[name, exampleOf(property)] as const] : [];
  });
  if (all.length === 0) return [];
  const flow = stringify(Object.fromEntries(all), { collectionStyle: "flow", lineWidth: 0 }).trim();
  return [`parameters: ${flow}`];
}

function exampleOf(property: Record<string, unknown>): unknown {
  const { examples, enum: values, const: only, minimum, type } = property;
  if (Array.isArray(examples) && examples.length > 0) return examples[0];
  if (Array.isArray(values) && values.length > 0) return values[0];
  if (only !== undefined) return only;
  if (type === "number" || type === "integer") return typeof minimum === "number" ? minimum : 1;
  return { boolean: false, array: [], object: {} }[type as "boolean"] ?? "example";
}

/** A text as YAML takes it, on one line. */
function quoted(text: string): string {
  return stringify(text, { lineWidth: 0 }).trim();
}
