import { access, constants, readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Check, Checked } from "./check.ts";

type Environment = Readonly<Record<string, string | undefined>>;
/** @returns what is wrong, or undefined */
type Rule = (value: string, folder: string) => Promise<string | undefined> | string | undefined;

const port: Rule = (value) =>
  /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? undefined : "expected a port from 0 to 65535";

/** What services read (R-ENV-01 to R-ENV-07), and what each has to be. */
const rules: Readonly<Record<string, Rule>> = {
  PORT: port,
  GRPC_PORT: port,
  SELF_URL: (value) =>
    URL.canParse(value) && /^https?:/.test(value) ? undefined : "expected an http or https URL",
  SERVICE_API_KEY: (value) =>
    /^[\x21-\x7e]+$/.test(value) ? undefined : "expected printable ASCII without blanks",
  SERVICE_API_KEY_FILE: async (value, folder) => {
    const text = await readFile(resolve(folder, value), "utf8").catch((error: Error) => error);
    if (text instanceof Error) return `expected a file that can be read: ${text.message}`;
    return text.trim() === "" ? "expected a key in that file, found it empty" : undefined;
  },
  DATA_DIR: (value, folder) => writable(resolve(folder, value)),
  LOG_DIR: (value, folder) => writable(resolve(folder, value)),
  TASK_STORE: (value) =>
    /^(memory|sqlite:.+|rediss?:\/\/.+)$/.test(value)
      ? undefined
      : "expected memory, sqlite:DIR or redis://...",
  LOG_LEVEL: (value) =>
    /^(fatal|error|warn|info|debug|trace|silent)$/.test(value)
      ? undefined
      : "expected a level of pino, as info",
};
const secrets = new Set(["SERVICE_API_KEY", "TASK_STORE"]);

/** What is set of what services read. */
export function environmentChecks(folder: string, env: Environment): Check[] {
  return Object.entries(rules)
    .filter(([name]) => env[name] !== undefined && env[name] !== "")
    .map(([name, rule]) => ({
      async run(): Promise<Checked> {
        const value = env[name] as string;
        const problem = await rule(value, folder);
        const shown = secrets.has(name) ? "is set" : `is "${value}"`;
        return {
          check: `env-${name}`,
          status: problem === undefined ? "ok" : "failure",
          found: problem === undefined ? `${name} ${shown}` : `${name} ${shown}: ${problem}`,
          ...(problem !== undefined && { fix: `set ${name} to something else, or unset it` }),
        };
      },
    }));
}

/** A folder that is there and can be written, or can be made. */
async function writable(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found === undefined) {
      if (dirname(at) === at) return "expected a folder that can be written";
      continue;
    }
    if (!found.isDirectory()) return `expected a folder, found the file ${at}`;
    return access(at, constants.W_OK).then(
      () => undefined,
      () => `expected a folder that can be written, found ${at} read-only`,
    );
  }
}
