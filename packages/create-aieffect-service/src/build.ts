/** Builds what is published: one file with everything in it, the templates included. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { readEmbeddedTemplates } from "./templates.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: [here("./main.js")],
  outfile: here("./create-aieffect-service.mjs"),
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  splitting: false,
  minify: true,
  legalComments: "linked",
  banner: {
    js: '#!/usr/bin/env node\nimport { createRequire as _createRequire } from "node:module"; const require = _createRequire(import.meta.url);',
  },
  plugins: [
    {
      name: "embed-templates",
      setup({ onLoad }) {
        onLoad({ filter: /[\\/]dist[\\/]templates\.js$/ }, ({ path }) =>
          path === here("./templates.js")
            ? {
                contents: `export const readEmbeddedTemplates = () => (${JSON.stringify(readEmbeddedTemplates())});`,
              }
            : undefined,
        );
      },
    },
  ],
});
