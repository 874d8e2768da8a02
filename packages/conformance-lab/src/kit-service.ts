/** The kit's own service with the methods of the harness's pristine one, so that one manifest fits both. */
import { setTimeout as pause } from "node:timers/promises";
import { defineOperation, type Operation, type Style } from "@aieffect/service-kit";
import * as z from "zod";

const parameters = z.looseObject({ ms: z.number().optional(), fail: z.boolean().optional() });
type Parameters = z.infer<typeof parameters>;

/** The operations; tasks take `time_scale` of their real time. Those of a style alone, if one is given. */
export function kitOperations(time_scale: number, style?: Style): Operation<Parameters>[] {
  const one = (name: string, own: Style, as: "inline" | "http" | "file" | "none"): Operation<Parameters> =>
    defineOperation({
      name,
      style: own,
      sink: as === "none",
      // Declared as inputs, inline JSON is not read as parameters.
      input: { protocols: ["inline", "http", "file"], formats: ["json", "csv"] },
      parameters,
      async run({ inputs, parameters, progress, publish, signal }) {
        const read: unknown[] = [];
        for (const input of inputs) {
          read.push(input.reference.format === "json" ? await input.json() : await input.text());
        }
        if (own === "sequential") await pause((parameters.ms ?? 0) * time_scale, undefined, { signal });
        else {
          const total = (parameters.ms ?? 2200) * time_scale;
          for (let percent = 10; percent <= 100; percent += 10) {
            await pause(total / 10, undefined, { signal });
            progress(percent);
          }
        }
        if (parameters.fail === true) throw new Error("The training was asked to fail");
        if (as === "none") return undefined;
        return publish(JSON.stringify({ method: name, read, parameters }), { format: "json", as });
      },
    });
  const all = [
    one("Echo", "sequential", "inline"),
    one("Load", "sequential", "http"),
    one("Save", "sequential", "file"),
    one("Sink", "sequential", "none"),
    one("Train", "concurrent", "inline"),
  ];
  return style === undefined ? all : all.filter((operation) => operation.style === style);
}
