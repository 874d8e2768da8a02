import { ScaffoldError } from "./errors.ts";

/** Names that Windows keeps for devices, with and without an ending. */
const devices = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?$/i;

/** Names of folders that mean something else to package managers and to Node. */
const reserved = new Set(["node_modules", "dist", "favicon", "npm", "pnpm", "node", "test"]);

/** Why this cannot be the name of a service, or undefined. */
export function serviceNameProblem(name: string): string | undefined {
  if (!/^[a-z][a-z0-9-]{1,62}$/.test(name)) {
    return `Expected a name of 2 to 63 small letters, digits and hyphens that begins with a letter, found ${shown(name)}`;
  }
  if (devices.test(name)) return `Expected a name that is no device of Windows, found ${shown(name)}`;
  if (name.endsWith("-") || name.includes("--")) {
    return `Expected a name with single hyphens inside, found ${shown(name)}`;
  }
  return reserved.has(name) ? `Expected a name of your own, found the reserved word "${name}"` : undefined;
}

/** Why this cannot be the name of an operation, or undefined. */
export function operationNameProblem(name: string): string | undefined {
  if (!/^[A-Z][A-Za-z0-9]{1,62}$/.test(name)) {
    return `Expected an operation's name of 2 to 63 letters and digits that begins with a capital, as in ProcessData; found ${shown(name)}`;
  }
  return devices.test(toKebab(name))
    ? `Expected a name that is no device of Windows, found ${shown(name)}`
    : undefined;
}

/** @throws ScaffoldError AE1201 */
export function assertName(name: string, problem: (name: string) => string | undefined, flag: string): void {
  const message = problem(name);
  if (message !== undefined) throw badName(name, problem, flag, message);
}

/** The error of a name that cannot be, with the nearest one that can. */
export function badName(
  name: string,
  problem: (name: string) => string | undefined,
  flag: string,
  message: string,
  where = flag,
): ScaffoldError {
  const meant = [toServiceName(name), toPascal(toServiceName(name))].find(
    (one) => problem(one) === undefined,
  );
  const tries = [`${flag} ${meant ?? "<another name>"}`];
  return new ScaffoldError("AE1201", { where, message, tries });
}

/** Letters without their accents, small, with single hyphens for everything between; of a word that is taken, a service. */
function toServiceName(text: string): string {
  const words = toKebab(text.replaceAll("ß", "ss").normalize("NFD").replaceAll(/\p{M}/gu, ""));
  const name = words.replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^[^a-z]+|-+$/g, "");
  return serviceNameProblem(name) === undefined ? name : `${name}${name === "" ? "" : "-"}service`;
}

/** `ProcessData` as `process-data`, `HTTPFetch2` as `http-fetch2`. */
export function toKebab(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replaceAll(/([A-Z])([A-Z][a-z])/g, "$1-$2")
    .toLowerCase();
}

/** `process-data` as `ProcessData`. */
export function toPascal(name: string): string {
  return name
    .split(/[-_ ]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

/** `process-data` or `ProcessData` as `processData`. */
export function toCamel(name: string): string {
  const pascal = toPascal(toKebab(name));
  return pascal.charAt(0).toLowerCase() + pascal.slice(1);
}

/** What cannot name a constant of a module, or has another meaning in those that are generated. */
const taken = new Set(
  (
    "await break case catch class const continue debugger default delete do else enum export extends false " +
    "finally for function if import in instanceof new null return super switch this throw true try typeof " +
    "var void while with yield let static implements interface package private protected public eval " +
    "arguments undefined globalThis then defineOperation plane rpc"
  ).split(" "),
);

/** What the constant of an operation is called: `processData`, but `deleteOperation` of `Delete`. */
export function toIdentifier(operation: string): string {
  const name = toCamel(operation);
  return taken.has(name) ? `${name}Operation` : name;
}

/** Text of a user's in a message: quoted, escaped, not too long. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}... (${text.length} characters)` : text);
}

/** Whether a file or folder of this name is a device on Windows. */
export function isDevice(segment: string): boolean {
  return devices.test(segment);
}
