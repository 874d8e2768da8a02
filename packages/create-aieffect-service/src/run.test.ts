import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "@aieffect/test-support";
import { expect, it } from "vitest";
import { run } from "./run.ts";
import { readEmbeddedTemplates } from "./templates.ts";

it("completes the templates once, and only for what can be written", async () => {
  const cwd = await tempFolder();
  const templates = readEmbeddedTemplates();
  let made = 0;
  const complete = async () => {
    made += 1;
    const services = templates.services.map((one) => ({
      ...one,
      files: [...one.files, { path: "vendor/packed.txt", text: "packed\n" }],
    }));
    return { ...templates, services };
  };
  const create = (...args: string[]) =>
    run([...args, "--quiet"], { templates, complete, cwd, env: { CI: "1" } });
  expect(await create("svc", "--template", "nonsense")).toBe(2);
  expect(await create("svc", "--nonsense")).toBe(2);
  expect(made).toBe(0);
  expect(await create("svc", "--template", "file-sequential")).toBe(0);
  expect([made, readFileSync(join(cwd, "svc/vendor/packed.txt"), "utf8")]).toEqual([1, "packed\n"]);
  expect(await create("svc", "--template", "file-sequential")).toBe(3);
  expect(made).toBe(1);
});
