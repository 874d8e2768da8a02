import { parseArgs } from "node:util";
import { oneFolder } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";
import { findProject, findProjectFolder } from "../project/find-project.ts";
import { dependenciesOf, packageManagerOf } from "../project/installed.ts";
import { operationsIn } from "../project/operations-in.ts";
import { ownVersion } from "../version.ts";

/** Says what there is: this command, the machine, the project. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: "boolean" } },
  });
  const start = oneFolder(positionals, "folder");
  const project = findProjectFolder(start) === undefined ? null : await describe(start);
  const info = {
    aieffect: ownVersion(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    project,
  };
  if (values.json) {
    process.stdout.write(`${JSON.stringify(info, null, 2)}\n`);
    return exitCodes.fine;
  }
  const lines = [
    ["aieffect", info.aieffect],
    ["node", `${info.node}, ${info.platform}`],
    ...(project === null ? [["project", "none: no aieffect.json here or above"]] : toLines(project)),
  ];
  process.stdout.write(lines.map(([name = "", value]) => `${name.padEnd(16)} ${value}\n`).join(""));
  return exitCodes.fine;
}

async function describe(start: string) {
  const { folder, manifest } = findProject(start);
  const { name, template, templateVersion, answers } = manifest;
  const own = dependenciesOf(folder).filter((dependency) => dependency.name.startsWith("@aieffect/"));
  return {
    folder,
    name,
    template,
    template_version: templateVersion,
    answers,
    operations: await operationsIn(folder),
    package_manager: packageManagerOf(folder, manifest.answers.pm).name,
    packages: own.map((dependency) => ({ ...dependency, installed: dependency.installed ?? null })),
  };
}

function toLines(project: Awaited<ReturnType<typeof describe>>): string[][] {
  return [
    ["project", `${project.name} in ${project.folder}`],
    ["template", `${project.template} ${project.template_version}`],
    ["operations", project.operations.join(", ") || "none"],
    ["package manager", project.package_manager],
    ...project.packages.map(({ name, wanted, installed }) => [
      "package",
      `${name} ${wanted}, ${installed === null ? "not installed" : `${installed} installed`}`,
    ]),
  ];
}
