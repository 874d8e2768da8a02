import { answerFault, onExecute, onOutput, onStatus } from "../faults.ts";
import { defineBenign, everyAnswer, everyJson, isJson } from "./benign.ts";

/** Members in another order than ours, deep down too. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, reversed(member)]),
  );
}

/** As Pydantic writes a model: every optional member is there, and null. */
function withNulls(output: unknown): unknown {
  if (output === null || typeof output !== "object") return null;
  return { schema_uri: null, size_bytes: null, checksum: null, metadata: {}, ...output };
}

const withoutSize = (output: unknown) => {
  if (output === null || typeof output !== "object") return output;
  const { protocol, uri, format } = output as Record<string, unknown>;
  return { protocol, uri, format };
};

/** Odd but legal replies: other bodies than ours. */
export const benignBodies = defineBenign(
  {
    id: "no-progress",
    summary: "tells no progress",
    // A wait that ends with it would end for no reason that shows.
    service: { extensions: ["idempotency", "cancel"] },
    odd: (fired) =>
      answerFault(fired, onStatus, ({ progress, ...body }) =>
        progress === undefined ? undefined : { body },
      ),
  },
  {
    id: "progress-null",
    summary: "answers progress null",
    service: { extensions: ["idempotency", "cancel"] },
    odd: (fired) =>
      answerFault(fired, onStatus, (body) =>
        "progress" in body ? { body: { ...body, progress: null } } : undefined,
      ),
  },
  {
    id: "progress-with-a-point",
    summary: "writes progress as in 50.0, as Python does of a float",
    odd: (fired) =>
      everyJson(fired, (body) => JSON.stringify(body).replace(/"progress":(\d+)/, '"progress":$1.0')),
  },
  {
    id: "progress-zero-then-all",
    summary: "says 0 until it says 100",
    odd: (fired) =>
      answerFault(fired, onStatus, (body) =>
        body.status === "running" ? { body: { ...body, progress: 0 } } : undefined,
      ),
    service: { extensions: ["idempotency", "cancel"] },
  },
  {
    id: "pydantic-nulls",
    summary: "writes every optional member, null where it has no value",
    odd: (fired) => ({
      async call(call, next) {
        const answer = await next();
        if (answer.status !== 200 || !isJson(answer.body)) return answer;
        if (onExecute.test(call.path)) {
          fired();
          const body = { task_id: null, error: null, ...answer.body, output: withNulls(answer.body.output) };
          return { ...answer, body };
        }
        if (onStatus.test(call.path))
          return { ...answer, body: { progress: null, error: null, ...answer.body } };
        if (!onOutput.test(call.path)) return answer;
        return { ...answer, body: { output: withNulls(answer.body.output) } };
      },
    }),
  },
  {
    id: "extra-members",
    summary: "adds members of its own to every object",
    odd: (fired) =>
      answerFault(fired, /^\/(health|control\/(execute|status|output))/, (body) => ({
        body: { ...body, took_ms: 3.5, tags: ["a", null], model: { version: "1" }, message: "Guten Tag" },
      })),
  },
  {
    id: "members-reversed",
    summary: "writes members in another order",
    odd: (fired) => everyJson(fired, (body) => JSON.stringify(reversed(body))),
  },
  {
    id: "crlf-json",
    summary: "writes JSON over many lines that end in CRLF",
    odd: (fired) => everyJson(fired, (body) => `${JSON.stringify(body, null, 4)}\n`.replaceAll("\n", "\r\n")),
  },
  {
    id: "ascii-json",
    summary: "escapes everything in JSON that is not ASCII, and slashes too",
    odd: (fired) =>
      everyJson(fired, (body) =>
        JSON.stringify(body)
          .replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)
          .replaceAll("/", "\\/"),
      ),
  },
  {
    id: "errors-in-german",
    summary: "has its error texts in another language",
    odd: (fired) =>
      everyAnswer(fired, ({ status, body }) => {
        const said = body as Record<string, unknown>;
        if (status >= 400) return { body: { detail: "Ungültige Anfrage – bitte prüfen" } };
        return said?.status === "failed"
          ? { body: { ...said, error: "Die Eingabe ist kein gültiges JSON: „ä“ 日本語" } }
          : undefined;
      }),
    // Its streams of events are not translated.
    service: { extensions: ["wait", "idempotency"] },
  },
  {
    id: "errors-of-many-lines",
    summary: "has long error texts of many lines",
    odd: (fired) =>
      everyAnswer(fired, ({ body }) => {
        const said = body as Record<string, unknown>;
        return said?.status === "failed"
          ? { body: { ...said, error: `Training failed.\n\n\t- reason: "x" < 1\n${"long ".repeat(2000)}` } }
          : undefined;
      }),
    service: { extensions: ["wait", "idempotency"] },
  },
  {
    id: "no-size-no-checksum",
    summary: "gives references of protocol, uri and format alone",
    odd: (fired) =>
      answerFault(fired, /^\/control\/(execute|output)/, (body) =>
        body.output ? { body: { ...body, output: withoutSize(body.output) } } : undefined,
      ),
  },
  {
    id: "reference-with-metadata",
    summary: "puts a schema, nested metadata and members of its own into references",
    odd: (fired) =>
      answerFault(fired, /^\/control\/(execute|output)/, (body) =>
        body.output
          ? {
              body: {
                ...body,
                output: {
                  ...body.output,
                  schema_uri: "https://example.org/schema.json",
                  metadata: { rows: 3, columns: [{ name: "Größe", unit: null }] },
                  produced_by: "model-7",
                },
              },
            }
          : undefined,
      ),
  },
  {
    id: "health-tells-more",
    summary: "tells another word and more in /health",
    odd: (fired) =>
      answerFault(fired, /^\/health$/, () => ({
        body: { status: "healthy", version: "2.1", uptime_s: 3.25, gpu: null },
      })),
  },
  {
    id: "sink-without-output",
    summary: "leaves the output of a sink out, instead of null",
    odd: (fired) =>
      answerFault(fired, onExecute, ({ output, ...body }) =>
        body.status === "complete" && output === null ? { body } : undefined,
      ),
  },
  {
    id: "error-empty-on-complete",
    summary: "writes error null into every reply that is fine",
    odd: (fired) =>
      answerFault(fired, onExecute, (body) =>
        body.status === "failed" || "detail" in body ? undefined : { body: { ...body, error: null } },
      ),
  },
);
