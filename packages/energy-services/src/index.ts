export type { Random } from "./create-random.ts";
export { createRandom } from "./create-random.ts";
export type { Plan } from "./generation.ts";
export { generationParameters, households, toPlan, toTimestamp } from "./generation.ts";
export { inConfiguredStyle } from "./in-configured-style.ts";
export { peerKeys } from "./peer-keys.ts";
export { singleInput } from "./single-input.ts";
export { toShown } from "./to-shown.ts";
