import { ControlError } from "@aieffect/control-interface";

/** Names that Windows keeps for devices, whatever extension follows. */
const device = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)/i;

/** Whether Windows would open a device, or another file, under this name. */
export function isWindowsTrap(name: string): boolean {
  return device.test(name) || /[. ]$/.test(name) || name.includes(":");
}

/**
 * Takes an untrusted file name that stays inside its folder on every platform.
 *
 * @throws ControlError `invalid_reference` for any other
 */
export function assertFileName(name: string): void {
  const problem = problemOf(name);
  if (problem === undefined) return;
  throw new ControlError(
    "invalid_reference",
    `Expected the plain name of a file, found ${JSON.stringify(name)}, which ${problem}; name it for example output.csv`,
  );
}

function problemOf(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name === "." || name === "..") return "is a folder";
  if (/[/\\]/.test(name)) return "has a path separator in it";
  if (/\p{Cc}/u.test(name)) return "has a control character in it";
  if (Buffer.byteLength(name) > 255) return "is longer than 255 bytes";
  if (isWindowsTrap(name)) return "means something else on Windows";
  return undefined;
}
