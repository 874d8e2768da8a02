import { defineConfig } from "vitest/config";

const project = (name: string, root: string, folders = ["src"]) => ({
  test: {
    name,
    root,
    include: folders.map((folder) => `${folder}/**/*.test.ts`),
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});

export default defineConfig({
  test: {
    projects: [
      project("control-interface", "packages/control-interface"),
      project("data-plane-file", "packages/data-plane-file"),
      project("service-kit", "packages/service-kit"),
      project("local-run", "packages/local-run"),
      project("orchestrator-lite", "orchestrator-lite"),
      project("file-based-energy-pipeline", "use-cases/file_based_energy_pipeline", ["services", "demo", "test"]),
    ],
  },
});
