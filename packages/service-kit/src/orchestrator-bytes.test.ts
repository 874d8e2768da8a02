/** The very bytes that a deployed Python orchestrator and its downstream services put on the wire. */
import { connect } from "node:net";
import { judgeReply } from "@aieffect/control-interface";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { defineOperation } from "./index.ts";
import { start } from "./testing/start.ts";

const analyze = defineOperation({
  name: "AnalyzeData",
  input: { formats: ["csv"] },
  parameters: z.object({ anomaly_threshold: z.number().default(0.5) }),
  async run({ inputs, parameters, publish }) {
    const rows = (await inputs[0]?.text()) ?? "";
    return publish(`${rows}# ${parameters.anomaly_threshold}\n`, { format: "csv" });
  },
});

/** Sends raw requests one after the other over one connection, and reads that many answers. */
function converse(url: string, requests: string[]): Promise<string[]> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const answers: string[] = [];
    let text = "";
    socket.setEncoding("utf8");
    socket.on("error", reject);
    socket.on("connect", () => socket.write(requests[0] as string));
    socket.on("data", (chunk) => {
      text += chunk;
      const head = text.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
      if (head < 0 || Buffer.byteLength(text.slice(head + 4)) < length) return;
      answers.push(text.slice(head + 4));
      text = "";
      const next = requests[answers.length];
      if (next !== undefined) socket.write(next);
      else {
        socket.end();
        resolve(answers);
      }
    });
  });
}

const httpx = (method: string, path: string, body = "") =>
  [
    `${method} ${path} HTTP/1.1`,
    "Host: data-analyzer:8080",
    "Accept: */*",
    "Accept-Encoding: gzip, deflate",
    "Connection: keep-alive",
    "User-Agent: python-httpx/0.27.2",
    ...(body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`, "Content-Type: application/json"]),
    "",
    body,
  ].join("\r\n");

const nulls = '"schema_uri": null, "size_bytes": null, "checksum": null, "metadata": {}';
const csv = `{"protocol": "inline", "uri": "${btoa("a,b\n1,2\n")}", "format": "csv", ${nulls}}`;
const options = `{"protocol": "inline", "uri": "${btoa('{"anomaly_threshold": 0.7}')}", "format": "json", ${nulls}}`;
const body = `{"method": "AnalyzeData", "workflow_id": "wf-0123456789ab", "task_id": "task_5195c7eb", "inputs": [${csv}, ${options}]}`;

describe.each(["sequential", "concurrent"] as const)(
  "a %s service and the deployed orchestrator",
  (style) => {
    it("understand each other, without parameters and with every optional field null", async () => {
      const { url } = await start([analyze], { style });
      const [first = ""] = await converse(url, [httpx("POST", "/control/execute", body)]);
      const begun = judgeReply({ kind: "execute", body: first });
      const handle = style === "concurrent" ? begun.read_as?.task_id : "task_5195c7eb";
      expect(begun.outcome).toBe(style === "concurrent" ? "polls" : "completes");
      await expect
        .poll(async () => {
          const [status = ""] = await converse(url, [httpx("GET", `/control/status/${handle}`)]);
          return judgeReply({ kind: "status", body: status }).outcome;
        })
        .toBe("completes");
      const [, output = ""] = await converse(url, [
        httpx("GET", `/control/status/${handle}`),
        httpx("GET", `/control/output/${handle}`),
      ]);
      const verdict = judgeReply({ kind: "output", body: output });
      expect(verdict.outcome).toBe("completes");
      const payload = new URL(verdict.read_as?.output.uri ?? "");
      expect(await converse(url, [httpx("GET", payload.pathname)])).toEqual(["a,b\n1,2\n# 0.7\n"]);
    });
  },
);
