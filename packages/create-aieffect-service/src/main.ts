import { run } from "./run.ts";
import { readEmbeddedTemplates } from "./templates.ts";

process.exitCode = await run(process.argv.slice(2), { templates: readEmbeddedTemplates() });
