import { ScaffoldError } from "../errors.ts";
import { type Answers, type Generator, type GeneratorContext, textOf } from "../generator.ts";
import { badName, operationNameProblem, serviceNameProblem, toKebab } from "../names.ts";
import { readProjectManifest } from "../service/project-manifest.ts";
import type { Tree } from "../tree/tree.ts";
import { addRpc } from "./add-rpc.ts";
import { operationCode, operationSample, operationTest } from "./operation-files.ts";
import { writeRegistry } from "./registry.ts";

/**
 * Adds an operation to a service that was generated: its code, test, conformance sample, rpc, and
 * its line in the derived registry. Files that are there stay as they are, so that running it twice
 * is no change.
 */
export const operationGenerator: Generator = {
  name: "operation",
  description: "an operation of a service: code, test, rpc in the proto",
  prompts: [
    {
      name: "name",
      flag: "name",
      kind: "text",
      message: "What is the operation called, as in ProcessData?",
      problem: operationNameProblem,
    },
    {
      name: "style",
      flag: "style",
      kind: "choice",
      message: "How long does one call take?",
      choices: [
        { value: "service", label: "as the service's other operations" },
        { value: "sequential", label: "under 20 s" },
        { value: "concurrent", label: "longer" },
      ],
      initial: "service",
    },
  ],
  validate(answers, { root }) {
    const name = textOf(answers, "name");
    const problem = operationNameProblem(name);
    if (problem !== undefined) throw badName(name, operationNameProblem, "--name", problem);
    readProjectManifest(root);
  },
  plan(answers: Answers, tree: Tree, { root }: GeneratorContext) {
    const manifest = readProjectManifest(root);
    const operation = {
      name: textOf(answers, "name"),
      style: textOf(answers, "style"),
      data: manifest.answers.data,
    };
    planOperation(tree, manifest.name, operation);
    return [
      `write what it does: src/operations/${toKebab(operation.name)}.ts`,
      `say what it takes and gives: proto/${manifest.name}.proto`,
      "npm test",
    ];
  },
};

/** An operation to add. */
export interface NewOperation {
  /** As in `ProcessData`. */
  name: string;
  /** `service` follows the service's own. */
  style: string;
  /** How its data travels. */
  data: string;
}

/** Plans an operation of the service in this tree. */
export function planOperation(tree: Tree, service: string, operation: NewOperation): void {
  if (serviceNameProblem(service) !== undefined) {
    throw new ScaffoldError("AE1402", { where: "aieffect.json", message: serviceNameProblem(service) ?? "" });
  }
  const file = toKebab(operation.name);
  const twin = tree
    .list("src/operations")
    .find((name) => name !== `${file}.ts` && name.toLowerCase() === `${file}.ts`);
  if (twin !== undefined) {
    throw new ScaffoldError("AE1303", {
      where: operation.name,
      message: `Expected a name that differs in more than capitals, found src/operations/${twin}`,
      tries: ["another name"],
    });
  }
  const source = tree.readText(`src/operations/${file}.ts`) ?? "";
  const there = [...source.matchAll(/\bdefineOperation\(\{\s*name:\s*"([^"]+)"/g)].map(
    ([, name = ""]) => name,
  );
  if (there.length > 0 && !there.includes(operation.name)) {
    throw new ScaffoldError("AE1303", {
      where: operation.name,
      message: `Expected a name that differs in more than capitals, found ${there.join(", ")} in src/operations/${file}.ts`,
      tries: ["another name"],
    });
  }
  const create = (path: string, text: string) => {
    if (tree.read(path) === undefined) tree.write(path, text);
  };
  create(`src/operations/${file}.ts`, operationCode(operation));
  create(`src/operations/${file}.test.ts`, operationTest(operation));
  create(`conformance/${file}.yaml`, operationSample(operation));
  const proto = `proto/${service}.proto`;
  const text = tree.readText(proto);
  if (text === undefined) {
    throw new ScaffoldError("AE1402", {
      where: proto,
      message: "Expected the service's proto, found no file",
    });
  }
  tree.write(proto, addRpc(text, operation.name, proto, operation.data));
  writeRegistry(tree);
}
