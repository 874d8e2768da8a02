export type { BenignService } from "./benign/benign.ts";
export { benignServices } from "./benign/index.ts";
export { pristineManifest, pristineSamples } from "./manifest.ts";
export type { Mutant } from "./mutant.ts";
export { mutants } from "./mutants/index.ts";
export type { Hooks, PristineOptions, RunningPristine } from "./pristine.ts";
export { startPristine } from "./pristine.ts";
export type { SelftestOptions } from "./selftest.ts";
export { selftest } from "./selftest.ts";
