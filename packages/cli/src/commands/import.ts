import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { planImport, planImportGrpc, readPackage, writeUseCase } from "@aieffect/onboarding";
import { pathOf } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";
import { UsageError } from "../usage-error.ts";

/** Turns a package, or an older configuration, into a use case. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { output: { type: "string" }, overwrite: { type: "boolean" } },
  });
  const [given] = positionals;
  if (given === undefined || positionals.length > 1) {
    throw new UsageError(
      `Expected one ZIP, export folder or gRPC configuration, found ${positionals.length}`,
    );
  }
  const source = pathOf(given);
  const isJson = /\.json$/i.test(source) && (await stat(source).catch(() => undefined))?.isFile();
  const files = isJson
    ? planImportGrpc(await readFile(source, "utf8"), basename(source))
    : planImport(await readPackage(source));
  const output = pathOf(values.output ?? basename(source).replace(/\.(zip|json)$/i, ""));
  const written = await writeUseCase(files, output, { overwrite: values.overwrite ?? false });
  process.stdout.write(`${written.join("\n")}\n`);
  return exitCodes.fine;
}
