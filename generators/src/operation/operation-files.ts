import { toIdentifier } from "../names.ts";
import type { NewOperation } from "./operation-generator.ts";

/** The operation's code: complete, and small enough to be replaced. */
export function operationCode(operation: NewOperation): string {
  return operation.data === "protobuf" ? messageCode(operation) : fileCode(operation);
}

function fileCode({ name, style }: NewOperation): string {
  const styled = style === "service" ? "" : `  style: "${style}",\n`;
  return `import { defineOperation } from "@aieffect/service-kit";
import * as z from "zod";

/** Keeps the rows of a CSV whose cells are all filled. */
export const ${toIdentifier(name)} = defineOperation({
  name: "${name}",
${styled}  input: { formats: ["csv"] },
  output: { formats: ["csv"] },
  parameters: z.object({
    separator: z.string().length(1).default(",").describe("What stands between two cells"),
  }),
  async run({ inputs, parameters, progress, publish }) {
    const [input] = inputs;
    if (input === undefined) throw new Error("Expected a CSV as input, found none");
    const lines = (await input.text()).split(/\\r?\\n/).filter((line) => line.trim() !== "");
    progress(50, \`\${lines.length} lines read\`);
    const isWhole = (line: string) => line.split(parameters.separator).every((cell) => cell.trim() !== "");
    const whole = lines.filter(isWhole);
    return publish(\`\${whole.join("\\n")}\\n\`, {
      format: "csv",
      metadata: { dropped: lines.length - whole.length },
    });
  },
});
`;
}

/** A test of it through the service's own door. */
export function operationTest(operation: NewOperation): string {
  return operation.data === "protobuf" ? messageTest(operation) : fileTest(operation);
}

function fileTest({ name }: NewOperation): string {
  return `import { expect, it } from "vitest";
import { startService } from "../../test/start-service.ts";

it("keeps the rows whose cells are all filled", async () => {
  const { run } = await startService();
  const csv = "time,value\\n1,10\\n2,\\n3,30\\n";
  const operation = "${name}";
  const { text, output } = await run(operation, { csv });
  expect(text).toBe("time,value\\n1,10\\n3,30\\n");
  expect(output.metadata).toMatchObject({ dropped: 1 });
});
`;
}

/** What conformance and the smoke test call it with. */
export function operationSample(operation: NewOperation): string {
  return operation.data === "protobuf" ? messageSample(operation) : fileSample(operation);
}

function fileSample({ name, style }: NewOperation): string {
  const mode = style === "service" ? "" : `    mode: ${style}\n`;
  return `# yaml-language-server: $schema=../node_modules/@aieffect/conformance/schemas/manifest-1.json
methods:
  ${name}:
${mode}    samples:
      a: { inputs: [{ protocol: inline, uri: !b64 "time,value\\n1,10\\n2,\\n", format: csv }] }
      b: { inputs: [{ protocol: inline, uri: !b64 "time,value\\n1,10\\n2,20\\n", format: csv }] }
      fail: { inputs: [{ protocol: inline, uri: !b64 "time,value\\n", format: csv }] }
`;
}

function messageCode({ name, style }: NewOperation): string {
  const styled = style === "service" ? "" : `  style: "${style}",\n`;
  return `import { defineOperation } from "@aieffect/service-kit";
import * as z from "zod";
import { plane, rpc } from "../plane.ts";

/** The result, as the proto has it. */
interface Output {
  mean: number;
  count: number;
}

/** The mean of the values that are given as parameters, in the request or as inline JSON. */
export const ${toIdentifier(name)} = defineOperation({
  name: "${name}",
${styled}  output: { protocols: ["grpc"] },
  parameters: z.object({
    values: z.array(z.number()).min(1).describe("What the mean is of"),
  }),
  async run(ctx) {
    const { values } = ctx.parameters;
    const sum = values.reduce((total, value) => total + value, 0);
    const result = { mean: sum / values.length, count: values.length };
    const published = rpc<Output>("${name}");
    return plane.publish(published, result, ctx);
  },
});
`;
}

function messageTest({ name }: NewOperation): string {
  return `import { expect, it } from "vitest";
import { startService } from "../../test/start-service.ts";

it("gives the mean of values", async () => {
  const { run } = await startService();
  const parameters = { values: [1, 2, 6] };
  const operation = "${name}";
  const { message } = await run(operation, { parameters });
  expect(message).toEqual({ mean: 3, count: 3 });
});
`;
}

function messageSample({ name, style }: NewOperation): string {
  const mode = style === "service" ? "" : `    mode: ${style}\n`;
  return `# yaml-language-server: $schema=../node_modules/@aieffect/conformance/schemas/manifest-1.json
methods:
  ${name}:
${mode}    samples:
      a: { inputs: [{ protocol: inline, uri: !json { values: [1, 2, 6] }, format: json }] }
      b: { inputs: [{ protocol: inline, uri: !json { values: [4] }, format: json }] }
      fail: { inputs: [{ protocol: inline, uri: !json { values: [] }, format: json }] }
`;
}
