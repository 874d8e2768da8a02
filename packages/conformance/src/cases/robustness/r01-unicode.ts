import { defineCase } from "../../engine/case.ts";
import { lightSample, plainRequest, post, requireAlive, withstoodExecute } from "./probe.ts";

const lone = "x\ud800y\udc00";
const nul = "x\u0000y";

/** The request with a text in every place that takes one, or in one of them. */
function placesOf(request: Record<string, unknown>, text: string) {
  const reference = { protocol: "inline", uri: "e30=", format: "json" };
  return {
    method: { ...request, method: text },
    workflow_id: { ...request, workflow_id: `${request.workflow_id}${text}` },
    task_id: { ...request, task_id: `${request.task_id}${text}` },
    "an input's uri": { ...request, inputs: [{ ...reference, uri: text }] },
    "an input's format": { ...request, inputs: [{ ...reference, format: text }] },
    "an input's protocol": { ...request, inputs: [{ ...reference, protocol: text }] },
    "an input's metadata": { ...request, inputs: [{ ...reference, metadata: { [text]: text } }] },
    "a parameter's name": { ...request, parameters: { [text]: 1 } },
    "a parameter's value": { ...request, parameters: { x: text, list: [text] } },
    "an unknown member": { ...request, [text]: text },
  };
}

export const unicode = defineCase({
  id: "R01",
  slug: "rob/unicode",
  profile: "robustness",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-GEN-01", "R-EXEC-11", "R-EXEC-12"],
  needs: [],
  holds: "Texts that are no text (broken UTF-8, lone surrogates, NUL, a byte order mark) give no 5xx",
  consequence:
    "One broken character in a file name or a label fails the whole workflow with an error that names nothing.",
  fix: "Decode bodies strictly and answer 422 when that fails; before a text is sent back or written, replace what cannot be encoded (Python: errors='replace').",
  async run(t) {
    for (const [name, text] of [
      ["a lone surrogate", lone],
      ["a NUL", nul],
    ] as const) {
      for (const [place, request] of Object.entries(placesOf(plainRequest(t), text))) {
        await withstoodExecute(t, await post(t, ascii(request)), `${name} in ${place}`);
      }
      const sample = lightSample(t);
      if (sample === undefined) continue;
      const request = t.requestOf(sample);
      const whole = {
        ...request,
        workflow_id: `${request.workflow_id}${text}`,
        task_id: `${request.task_id}${text}`,
        parameters: { ...sample.parameters, conformance: text },
        conformance: text,
      };
      await withstoodExecute(t, await post(t, ascii(whole)), `${name} in the ids and parameters of a sample`);
    }
    const text = JSON.stringify(plainRequest(t, { parameters: { x: "MARK" } }));
    for (const [name, bytes] of [
      ["a byte that is no UTF-8", Buffer.from([0xff])],
      ["an UTF-8 sequence that is cut", Buffer.from([0xe2, 0x82])],
      ["an overlong UTF-8 sequence", Buffer.from([0xc0, 0xaf])],
      ["a surrogate in UTF-8", Buffer.from([0xed, 0xa0, 0x80])],
      ["a raw NUL", Buffer.from([0])],
    ] as const) {
      const [before = "", after = ""] = text.split("MARK");
      const body = Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
      await withstoodExecute(t, await post(t, body), `${name} in the body`);
    }
    const marked = Buffer.from(`\ufeff${JSON.stringify(plainRequest(t))}`);
    await withstoodExecute(t, await post(t, marked), "a byte order mark before the body");
    await requireAlive(t, "broken texts");
  },
});

/** JSON in ASCII, as Python writes it: lone surrogates are escapes in it. */
function ascii(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
