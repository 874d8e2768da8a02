import { hash } from "node:crypto";
import type { JsonSchema, OpenApi, OpenApiOperation, OperationsResponse } from "@aieffect/control-interface";

/** The service's interface as one page without scripts or outside resources, from its OpenAPI document. */
export function renderDocs(openApi: OpenApi, described: OperationsResponse, url: string): string {
  const { info, paths, components } = openApi;
  const calls = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => renderCall(method, path, operation)),
  );
  const schemas = Object.entries(components.schemas).map(([name, schema]) => renderSchema(name, schema));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(info.title)}</title><style>${style}</style></head><body>
<h1>${escapeHtml(info.title)} <small>${escapeHtml(info.version)}</small></h1>
<p>${escapeHtml(info.description)} The same as <a href="openapi.json">OpenAPI 3.1</a>.</p>
<h2>Operations</h2>
${described.operations.map((operation) => renderOperation(operation, url, openApi)).join("\n")}
${uploadExample(url, openApi)}
<p>Beside the control interface: <code>/health</code>, <code>/ready</code>, <code>/metrics</code> (Prometheus).</p>
<h2>Calls</h2>
${calls.join("\n")}
<h2>Messages</h2>
${schemas.join("\n")}
</body></html>
`;
}

function renderOperation(
  operation: OperationsResponse["operations"][number],
  url: string,
  openApi: OpenApi,
): string {
  const { name, style, sink, inputs, output, parameters } = operation;
  const rows = [
    [
      "Style",
      style === "concurrent"
        ? "concurrent: answers running, poll for the end"
        : "sequential: answers with the result",
    ],
    ["Inputs", inputs.length === 0 ? "any" : inputs.map(portText).join("; ")],
    ["Output", sink ? "none" : portText(output)],
    ["Parameters", JSON.stringify(parameters.properties ?? {}, null, 1)],
  ];
  const cells = rows.map(
    ([key, text]) => `<tr><td>${key}</td><td><code>${escapeHtml(text ?? "")}</code></td></tr>`,
  );
  return `<section><h3><code>${escapeHtml(name)}</code></h3><table>${cells.join("")}</table>
<pre>${escapeHtml(exampleOf(url, name, openApi))}</pre></section>`;
}

function portText({ protocols, formats }: { protocols: string[]; formats: string[] }): string {
  return [protocols.join(" or "), formats.join(" or ")].filter((text) => text !== "").join(", ") || "any";
}

function uploadExample(url: string, openApi: OpenApi): string {
  if (openApi.paths["/control/data"] === undefined) return "";
  return `<p>A file of your own becomes an input like this; the answer is its reference:</p>
<pre>${escapeHtml(`curl -s ${url}/control/data${keyOf(openApi)} -F file=@load.csv`)}</pre>`;
}

function keyOf({ components }: OpenApi): string {
  return components.securitySchemes === undefined ? "" : ` -H "Authorization: Bearer $SERVICE_API_KEY"`;
}

function exampleOf(url: string, method: string, openApi: OpenApi): string {
  const body = JSON.stringify({ method, workflow_id: "wf-1", task_id: "task-1", inputs: [], parameters: {} });
  return `curl -s ${url}/control/execute${keyOf(openApi)} -H "Content-Type: application/json" -d '${body.replaceAll("'", "'\\''")}'`;
}

function renderCall(method: string, path: string, operation: OpenApiOperation): string {
  const parameters = (operation.parameters ?? []).map(
    ({ name, description }) =>
      `<tr><td><code>${escapeHtml(String(name))}</code></td><td>${escapeHtml(String(description))}</td></tr>`,
  );
  const fields = Object.entries(formOf(operation)).map(
    ([name, { description }]) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${escapeHtml(String(description))}</td></tr>`,
  );
  const answers = Object.entries(operation.responses).map(
    ([status, { description }]) =>
      `<tr><td><code>${status}</code></td><td>${escapeHtml(String(description))}</td></tr>`,
  );
  return `<section><h3><code>${method.toUpperCase()} ${escapeHtml(path)}</code></h3>
<p>${escapeHtml(operation.summary)}. ${escapeHtml(operation.description ?? "")}</p>
<table>${[...parameters, ...fields, ...answers].join("")}</table></section>`;
}

/** The fields of a call that takes a form. */
function formOf({ requestBody }: OpenApiOperation): Record<string, JsonSchema> {
  const content = requestBody?.content as
    | Record<string, { schema: { properties?: Record<string, JsonSchema> } }>
    | undefined;
  return content?.["multipart/form-data"]?.schema.properties ?? {};
}

function renderSchema(name: string, schema: JsonSchema): string {
  return `<details id="${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code></summary>
<pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`;
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}

const style = `
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}td{padding:.15rem .8rem .15rem 0;vertical-align:top}
pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:.6rem;border:1px solid #8886;border-radius:4px;font-size:.85rem}
section{border-top:1px solid #8886}small{font-weight:normal;opacity:.7}`;

/** What a browser is told of the page: it shows itself, and nothing that got into it by mistake. */
export const docsHeaders = {
  "content-security-policy": `default-src 'none'; style-src 'sha256-${hash("sha256", style, "base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "referrer-policy": "no-referrer",
};
