export { fixturesOf, needs } from "./needs.ts";
export { tempFolder } from "./temp-folder.ts";
export { until } from "./until.ts";
