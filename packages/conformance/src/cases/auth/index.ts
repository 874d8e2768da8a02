import { missing } from "./a01-missing.ts";
import { nearMiss } from "./a02-near-miss.ts";
import { malformed } from "./a03-malformed.ts";
import { schemeCase } from "./a04-scheme-case.ts";
import { challenge } from "./a05-challenge.ts";
import { beforeWork } from "./a06-before-work.ts";
import { noExistenceOracle } from "./a07-no-existence-oracle.ts";
import { tokenHygiene } from "./a08-token-hygiene.ts";

export const authCases = [
  missing,
  nearMiss,
  malformed,
  schemeCase,
  challenge,
  beforeWork,
  noExistenceOracle,
  tokenHygiene,
];
