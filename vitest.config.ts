import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** What takes long is in files of its own, `*.long.test.ts`, which `npm run test:long` runs. */
const long = process.env.AIEFFECT_LONG === "1";

const project = (name: string, root: string, folders = ["src"], timeout_ms = 30_000) => ({
  test: {
    name,
    // Absolute, because packages run their tests from their own folders.
    root: fileURLToPath(new URL(root, import.meta.url)),
    include: folders.map((folder) => `${folder}/**/*${long ? ".long" : ""}.test.{ts,mjs}`),
    exclude: long ? [] : ["**/*.long.test.*"],
    passWithNoTests: true,
    // Each file of its own world would load everything again; what a test changes it puts back.
    isolate: false,
    testTimeout: timeout_ms,
    hookTimeout: 30_000,
    // Machines that build for many stand still at times.
    retry: process.env.CI ? 2 : 0,
  },
});

/** Where CI wants each project's results, for its closing line. */
const results = process.env.AIEFFECT_TEST_RESULTS;
const chosen = long ? "long" : process.argv[process.argv.indexOf("--project") + 1];

export default defineConfig({
  test: {
    ...(results && { reporters: ["default", ["json", { outputFile: `${results}/${chosen}.json` }]] }),
    projects: [
      project("control-interface", "packages/control-interface"),
      project("data-plane-file", "packages/data-plane-file"),
      project("service-kit", "packages/service-kit"),
      project("data-plane-protobuf", "packages/data-plane-protobuf"),
      project("local-run", "packages/local-run"),
      project("endurance", "packages/endurance", ["src"], 15 * 60_000),
      project("orchestrator-lite", "orchestrator-lite"),
      project("conformance", "packages/conformance", ["src"], 60_000),
      project("conformance-lab", "packages/conformance-lab", ["src"], 120_000),
      project("onboarding", "packages/onboarding"),
      project("cli", "packages/cli"),
      project("generators", "generators"),
      project("create-aieffect-service", "packages/create-aieffect-service"),
      ...["file-sequential", "file-concurrent", "protobuf-sequential", "protobuf-concurrent"].map((name) =>
        project(`template-${name}`, `templates/${name}`, ["src", "test"], 60_000),
      ),
      project("readme", "scripts", ["."]),
      project("file-based-energy-pipeline", "use-cases/file_based_energy_pipeline", [
        "services",
        "demo",
        "test",
      ]),
      project("protobuf-based-energy-pipeline", "use-cases/protobuf_based_energy_pipeline", [
        "services",
        "demo",
        "test",
      ]),
    ],
  },
});
