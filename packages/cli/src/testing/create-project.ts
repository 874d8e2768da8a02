import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commitTree, planGenerator, readTemplates, serviceGenerator } from "@aieffect/generators";
import { tempFolder } from "@aieffect/test-support";

const checkout = fileURLToPath(new URL("../../../../", import.meta.url));

/** A new service as people create it, without its dependencies. */
export async function createProject(): Promise<string> {
  const root = join(await tempFolder(), "grid-load");
  const answers = { name: "grid-load", style: "sequential", data: "file", pm: "npm" };
  commitTree(planGenerator(serviceGenerator, answers, { root, templates: readTemplates(checkout) }).tree);
  return root;
}
