import { health } from "./c01-health.ts";
import { responseShape } from "./c05-response-shape.ts";

export const coreCases = [health, responseShape];
