import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isMap, isScalar, LineCounter, parseDocument } from "yaml";
import type { PublishedPorts } from "../model/use-case.ts";
import type { Problem } from "../problems/problem.ts";

const files = ["docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"];

/** Reads which ports of the host a use case's compose file publishes; undefined without such a file. */
export async function readPublished(root: string): Promise<PublishedPorts | undefined> {
  for (const file of files) {
    const text = await readFile(join(root, file), "utf8").catch(() => undefined);
    if (text !== undefined) return parsePublished(text, file);
  }
  return undefined;
}

type Port = { host: number; container: number };

function parsePublished(text: string, file: string): PublishedPorts {
  const lines = new LineCounter();
  const document = parseDocument(text, { merge: true, lineCounter: lines });
  const problems = document.errors.map(({ message, pos }) =>
    notYaml(file, lines.linePos(pos[0]).line, message.split("\n")[0] ?? ""),
  );
  const services = new Map<string, { line: number; ports: Port[] }>();
  const listed = document.get("services");
  if (problems.length > 0 || !isMap(listed)) return { file, services, problems };
  let values: Record<string, ComposeService | null>;
  try {
    // Merge keys and aliases are followed only here, up to a bound.
    values = document.toJS().services as typeof values;
  } catch (error) {
    return { file, services, problems: [notYaml(file, undefined, (error as Error).message)] };
  }
  for (const { key } of listed.items) {
    if (!isScalar(key)) continue;
    const { ports, hostname, container_name } = values[String(key.value)] ?? {};
    const entry = {
      line: lines.linePos(key.range?.[0] ?? 0).line,
      ports: Array.isArray(ports) ? ports.flatMap(toPorts) : [],
    };
    for (const name of [String(key.value), hostname, container_name]) {
      if (typeof name === "string" && !services.has(name)) services.set(name, entry);
    }
  }
  return { file, services, problems };
}

function notYaml(file: string, line: number | undefined, why: string): Problem {
  return {
    code: "syntax",
    severity: "error",
    file,
    line,
    message: `Expected YAML, found what is none: ${why}`,
    fix: "Correct the file; docker compose config says more about it",
  };
}

interface ComposeService {
  ports?: unknown;
  hostname?: unknown;
  container_name?: unknown;
}

/** Both of compose's forms: "18081:8080" with address, range and protocol, and `{target, published}`. */
function toPorts(port: unknown): Port[] {
  if (port !== null && typeof port === "object") {
    const { target, published, protocol = "tcp" } = port as Record<string, unknown>;
    return protocol === "tcp" ? pair(substitute(String(published ?? "")), String(target ?? "")) : [];
  }
  const [text = "", protocol = "tcp"] = substitute(String(port)).split("/");
  // The address, where there is one, stands before both.
  const [, host = "", container = ""] = /(?:^|:)([\d-]*):([\d-]+)$/.exec(text) ?? [];
  return protocol === "tcp" ? pair(host, container) : [];
}

function pair(host: string, container: string): Port[] {
  const [hosts, containers] = [toRange(host), toRange(container)];
  if (hosts.length !== containers.length) return [];
  return hosts.map((one, at) => ({ host: one, container: containers[at] as number }));
}

function toRange(text: string): number[] {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === undefined || from < 1 || to > 65_535) return [];
  return Array.from({ length: Math.max(to - from + 1, 0) }, (_, at) => from + at);
}

/** Variables count with their defaults, because the environment of a later `docker compose up` is not known. */
function substitute(text: string): string {
  return text.replace(/\$\{\w+:?-([^}]*)\}/g, "$1");
}
