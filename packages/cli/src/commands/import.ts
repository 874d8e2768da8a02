import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { keepsNames, planImport, planImportGrpc, readPackage, writeUseCase } from "@aieffect/onboarding";
import { pathOf } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";
import { UsageError } from "../usage-error.ts";

/** Turns a package, or an older configuration, into a use case. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { output: { type: "string" } },
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
    : await planPackage(source);
  const output = pathOf(values.output ?? basename(source).replace(/\.(zip|json)$/i, ""));
  const written = await writeUseCase(files, output);
  process.stdout.write(`${written.join("\n")}\n`);
  return exitCodes.fine;
}

async function planPackage(source: string) {
  const read = await readPackage(source);
  const files = planImport(read);
  if (!keepsNames(read)) {
    process.stderr.write(
      "Containers whose name does not end in 1 get another one when this is exported again.\n",
    );
  }
  return files;
}
