import type { GeneratorContext } from "../generator.ts";
import type { Template } from "../templates/templates.ts";
import { toPackageJson } from "./package-json.ts";

/** Tests of the repository itself, which need its other packages. */
const left = /(?:\.test\.ts|^test\/)/;

/** The files of a use case as a project of its own: versions instead of workspace links, its own tsconfig. */
export function renderExample(
  example: Template,
  name: string,
  pm: string,
  { templates }: GeneratorContext,
): { path: string; content: Buffer; executable: boolean }[] {
  if (templates === undefined) throw new TypeError("Expected the templates in the context, found none");
  return example.files
    .filter(({ path }) => !left.test(path))
    .map(({ path, text, base64, executable = false }) => {
      const content =
        text === undefined
          ? Buffer.from(base64 ?? "", "base64")
          : Buffer.from(
              path === "package.json" ? toPackageJson(text, { name, into: false, pm, templates }) : text,
            );
      return { path, content, executable };
    });
}
