import * as z from "zod";
import { type HostJudge, toOrigin } from "./judge-host.ts";
import type { DocumentProblem } from "./problem.ts";
import { checkShape, showValue, toPathText } from "./shape.ts";

const dockerinfoSchema = z.strictObject({
  docker_info_list: z.array(
    z.strictObject({
      container_name: z.string().min(1),
      ip_address: z.string(),
      // Deployed files have a text here, people write a number.
      port: z.custom<string | number>(isPort, "a port from 1 to 65535"),
    }),
  ),
});

/** Base URL of each container's service. Several containers may have the same. */
export type Addresses = ReadonlyMap<string, string>;

/** Reads a dockerinfo. @param judgeHost says which hosts may be named */
export function parseDockerinfo(
  value: unknown,
  judgeHost: HostJudge,
): { addresses: Addresses; problems: [] } | { addresses?: undefined; problems: DocumentProblem[] } {
  const shape = checkShape(dockerinfoSchema, value);
  if (shape.value === undefined) {
    return { problems: shape.problems.map(({ path, message }) => problem(toPathText(path), message)) };
  }
  const addresses = new Map<string, string>();
  const problems: DocumentProblem[] = [];
  shape.value.docker_info_list.forEach(({ container_name, ip_address, port }, index) => {
    const at = `docker_info_list[${index}]`;
    if (addresses.has(container_name)) {
      problems.push(problem(`${at}.container_name`, `${showValue(container_name)} is listed twice`));
    }
    const refusal = judgeHost(ip_address);
    if (refusal !== undefined) problems.push(problem(`${at}.ip_address`, refusal));
    addresses.set(container_name, `${toOrigin(ip_address)}:${Number(port)}`);
  });
  return problems.length > 0 ? { problems } : { addresses, problems: [] };
}

function isPort(value: unknown): boolean {
  if (typeof value === "string" && !/^[0-9]{1,5}$/.test(value)) return false;
  const port = typeof value === "string" || typeof value === "number" ? Number(value) : 0;
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function problem(at: string, message: string): DocumentProblem {
  return { document: "dockerinfo", at, message };
}
