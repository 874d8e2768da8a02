import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import type { Exchange } from "../../wire/exchange.ts";

export const discovery = defineCase({
  id: "X01",
  slug: "ext/discovery",
  profile: "extensions",
  level: "MUST",
  because: "data",
  rules: ["R-OPS-01"],
  needs: [],
  holds:
    "GET /control/operations tells the truth: every operation and every extension that it lists is there",
  consequence: "Tools build pipelines and calls out of what it says, which then fail when they run.",
  fix: "Make the list from the same table that serves the calls, and list no extension that is switched off.",
  async run(t) {
    const exchange = await t.send({ path: "/control/operations" });
    const { status, body } = t.replied(exchange);
    if (t.operations === undefined && (status !== 200 || !isObject(body))) {
      return t.notApplicable("the service does not describe itself (GET /control/operations)");
    }
    const { operations, extensions } = JSON.parse(body.toString());
    const isForm = (holds: boolean, expected: string, found: unknown) =>
      t.require(holds, "E_SELF_DESCRIPTION", { expected, found: show(found), at: exchange });
    isForm(Array.isArray(operations), "operations: a list", operations);
    const names = new Set<unknown>();
    for (const one of operations) {
      isForm(typeof one?.name === "string" && one.name !== "", "an operation with a name", one);
      isForm(!names.has(one.name), "every name once", one.name);
      names.add(one.name);
      const isStyle = one.style === "sequential" || one.style === "concurrent";
      isForm(isStyle, "style: sequential or concurrent", one.style);
      for (const [field, type] of Object.entries(optionalFields)) {
        const isFine = one[field] == null || typeOf(one[field]) === type;
        isForm(isFine, `${field}: ${type}, where it is given`, one[field]);
      }
    }
    const isNames = Array.isArray(extensions) && extensions.every((name) => typeof name === "string");
    isForm(extensions === undefined || isNames, "extensions: a list of names", extensions);

    await everyOperationIsThere(t, exchange, operations);
    await everyRouteIsThere(t, exchange, extensions ?? []);
  },
});

const optionalFields = { sink: "boolean", parameters: "object", inputs: "list", output: "object" };

interface Operation {
  name: string;
  style: string;
}

async function everyOperationIsThere(t: CaseContext, at: Exchange, operations: readonly Operation[]) {
  const refused = await call(t, `Ghost${t.id()}`);
  for (const { name, style } of operations) {
    const sample = t.samples().find(({ method }) => method === name);
    const execute = sample === undefined ? await call(t, name) : await t.execute(sample);
    const reply = t.replied(execute);
    const reading = readAs(execute, "execute");
    // A refusal that is the one of a name that nobody has.
    const isGhost = reading?.status !== "complete" && reading?.status !== "running" && same(execute, refused);
    t.require(!isGhost, "E_FALSE_CLAIM", {
      expected: `an operation ${name}, as it is listed`,
      found: `${reply.status}: ${reply.body.toString().slice(0, 200)}, as for a name that nobody has`,
      at: [at, refused, execute],
    });
    const status = reading?.status;
    t.require(style !== "sequential" || status !== "running", "E_FALSE_CLAIM", {
      expected: `${name} to answer complete or failed: it is listed as sequential`,
      found: "running",
      at: [at, execute],
    });
  }
}

/** The least that can be sent under a name. */
function call(t: CaseContext, method: string): Promise<Exchange> {
  const body = { method, workflow_id: t.id("wf"), task_id: t.id("task"), inputs: [], parameters: {} };
  return t.send({ method: "POST", path: "/control/execute", body });
}

/** Whether two refusals differ in nothing but the name that they are about. */
function same(one: Exchange, other: Exchange): boolean {
  const [a, b] = [one, other].map(({ request, reply }) => {
    const { method } = JSON.parse(request.body.toString());
    const text = reply?.body.toString() ?? "";
    // A text without the name may be that of any other refusal.
    return text.includes(method) ? `${reply?.status} ${text.replaceAll(method, "")}` : undefined;
  });
  return a !== undefined && a === b;
}

/** Extensions that have a path of their own answer under it. */
async function everyRouteIsThere(t: CaseContext, at: Exchange, extensions: readonly string[]) {
  const isThere = (name: string, exchange: Exchange) => {
    const { status } = t.replied(exchange);
    t.require(status !== 404 && status !== 405 && status !== 501, "E_FALSE_CLAIM", {
      expected: `the extension "${name}", as it is listed`,
      found: `${status} to ${exchange.request.method} ${exchange.request.path}`,
      at: [at, exchange],
    });
  };
  if (extensions.includes("upload")) {
    // Refused, as there is no file in it; but not as a path that nobody has.
    isThere("upload", await t.send({ method: "POST", path: "/control/data", body: {} }));
  }
  const sample = t.samples().find(({ mode }) => mode === "concurrent");
  if (sample === undefined || !extensions.includes("cancel")) return;
  const { handle, end } = await t.run(sample);
  if (handle === undefined || end === "broken" || end === "stuck") return;
  isThere("cancel", await t.send({ method: "POST", path: `/control/cancel/${handle}` }));
}

function isObject(body: Buffer): boolean {
  try {
    const value = JSON.parse(body.toString());
    // Another service's page may lie under that path: it is no self-description without the word.
    return typeOf(value) === "object" && "operations" in value;
  } catch {
    return false;
  }
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "list";
  return value === null ? "null" : typeof value;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 200);
}
