import { unicode } from "./r01-unicode.ts";
import { nesting } from "./r02-nesting.ts";
import { numbersCase } from "./r03-numbers.ts";
import { prototypeKeys } from "./r04-prototype-keys.ts";
import { methodInjection } from "./r05-method-injection.ts";
import { idInjection } from "./r06-id-injection.ts";
import { oversize } from "./r07-oversize.ts";
import { lengthLies } from "./r08-length-lies.ts";
import { slowClient } from "./r09-slow-client.ts";
import { mediaType } from "./r10-media-type.ts";
import { noInternals } from "./r11-no-internals.ts";
import { fuzzShape } from "./r12-fuzz-shape.ts";
import { fuzzModel } from "./r13-fuzz-model.ts";

export const robustnessCases = [
  unicode,
  nesting,
  numbersCase,
  prototypeKeys,
  methodInjection,
  idInjection,
  oversize,
  lengthLies,
  slowClient,
  mediaType,
  noInternals,
  fuzzShape,
  fuzzModel,
];
