import { ScaffoldError } from "../errors.ts";
import { type Generator, listOf, textOf } from "../generator.ts";
import { assertName, serviceNameProblem, shown } from "../names.ts";
import { type ProjectManifest, readProjectManifest } from "../service/project-manifest.ts";
import { createTree, type Tree } from "../tree/tree.ts";
import { composeFile, pipelineReadme, submitScript } from "./pipeline-files.ts";

/** A service of a pipeline, and the operation of it that takes part. */
export interface PipelineNode {
  service: string;
  operation: string;
  /** Its folder, relative to the workspace; `""` is the workspace itself. */
  folder: string;
  /** How its data travels. */
  data: string;
  proto: string;
}

/** Makes a pipeline of generated services, one after the other: what the portal imports and compose runs. */
export const pipelineGenerator: Generator = {
  name: "pipeline",
  description: "a pipeline of services: connections.json, compose file, README, submit script",
  prompts: [
    {
      name: "name",
      flag: "name",
      kind: "text",
      message: "What is the pipeline called, as in day-ahead?",
      problem: serviceNameProblem,
    },
    {
      name: "services",
      flag: "services",
      kind: "list",
      message: "Which services, in order, as in cleaner,forecaster.ForecastLoad?",
      initial: "*",
    },
  ],
  validate(answers, { root }) {
    assertName(textOf(answers, "name"), serviceNameProblem, "--name");
    readNodes(createTree(root), root, listOf(answers, "services"));
  },
  plan(answers, tree, { root }) {
    const name = textOf(answers, "name");
    const nodes = readNodes(tree, root, listOf(answers, "services"));
    const folder = `pipelines/${name}`;
    const create = (path: string, text: string) => {
      if (tree.read(`${folder}/${path}`) === undefined) tree.write(`${folder}/${path}`, text);
    };
    create("connections.json", connections(name, nodes));
    create("compose.yaml", composeFile(name, nodes));
    create("README.md", pipelineReadme(name, nodes));
    create("submit.mjs", submitScript(name));
    // Derived: the portal takes the protos as they are now.
    for (const { service, proto } of nodes) {
      tree.write(`${folder}/services/${service}/proto/${service}.proto`, proto);
    }
    return [
      `npx aieffect check ${folder}`,
      `npx aieffect export ${folder}`,
      `docker compose -f ${folder}/compose.yaml up --build`,
    ];
  },
};

function connections(name: string, nodes: readonly PipelineNode[]): string {
  const pipeline = {
    name,
    start_service: nodes[0]?.service,
    service_mapping: Object.fromEntries(
      nodes.map(({ service }) => [service, { ip_address: service, port: 8080 }]),
    ),
    connections: nodes.slice(1).map((to, index) => {
      const from = nodes[index] as PipelineNode;
      return {
        from_service: from.service,
        from_method: from.operation,
        to_service: to.service,
        to_method: to.operation,
      };
    }),
  };
  return `${JSON.stringify({ pipeline }, undefined, 2)}\n`;
}

function readNodes(tree: Tree, root: string, wanted: readonly string[]): PipelineNode[] {
  const services = findServices(tree, root);
  const known = services.map(({ name }) => name);
  const names = wanted.length === 1 && wanted[0] === "*" ? known : wanted;
  const nodes = names.map((one) => {
    const [name = "", operation] = one.split(".");
    const service = services.find((candidate) => candidate.name === name);
    if (service === undefined) {
      throw new ScaffoldError("AE1202", {
        where: "--services",
        message: `Expected services of this workspace, of which there ${known.length === 1 ? "is" : "are"} ${known.join(", ") || "none"}; found ${shown(name)}`,
      });
    }
    return { ...toNode(tree, service, operation), service: name };
  });
  const twice = nodes.find(({ service }, index) => nodes.findIndex((one) => one.service === service) < index);
  if (nodes.length === 0 || twice !== undefined) {
    throw new ScaffoldError("AE1202", {
      where: "--services",
      message:
        twice === undefined
          ? "Expected at least one service, found none"
          : `Expected every service once, found ${twice.service} twice`,
      tries: ["npm create aieffect-service -- <name> --into ."],
    });
  }
  return nodes;
}

interface FoundService {
  name: string;
  folder: string;
  data: string;
}

/** The workspace itself, where it is a service, and those below `services/`. */
function findServices(tree: Tree, root: string): FoundService[] {
  const folders = ["", ...tree.list("services").map((name) => `services/${name}`)];
  return folders.flatMap((folder) => {
    const at = folder === "" ? "aieffect.json" : `${folder}/aieffect.json`;
    if (tree.read(at) === undefined) return [];
    const manifest: ProjectManifest = readProjectManifest(folder === "" ? root : `${root}/${folder}`);
    return [{ name: manifest.name, folder, data: manifest.answers.data }];
  });
}

function toNode(tree: Tree, { name, folder, data }: FoundService, wanted: string | undefined): PipelineNode {
  const path = `${folder === "" ? "" : `${folder}/`}proto/${name}.proto`;
  const proto = tree.readText(path);
  if (proto === undefined) {
    throw new ScaffoldError("AE1402", {
      where: path,
      message: "Expected the service's proto, found no file",
    });
  }
  const operations = [...proto.matchAll(/^\s*rpc\s+(\w+)\s*\(/gm)].map(
    ([, operation]) => operation as string,
  );
  const operation = wanted ?? operations[0];
  if (operation === undefined || !operations.includes(operation)) {
    throw new ScaffoldError("AE1202", {
      where: "--services",
      message: `Expected an operation of ${name}, which has ${operations.join(", ") || "none"}; found ${shown(operation ?? "")}`,
    });
  }
  return { service: name, operation, folder, data, proto };
}
