import { expect, it } from "vitest";
import type { Settings } from "../../../engine/context.ts";
import { runAgainst } from "../../../zoo/judge-mutant.ts";
import { mutants } from "../../../zoo/mutants/index.ts";
import { catalogue } from "../../catalogue.ts";

/** What a fuzzing case finds on a mutant. */
async function findOn(mutant_id: string, case_id: string, settings: Partial<Settings> = {}) {
  const mutant = mutants.find(({ id }) => id === mutant_id);
  const cases = catalogue.filter(({ id }) => id === case_id);
  let fired = 0;
  const hooks = mutant?.fault(() => fired++) ?? {};
  const [result] = await runAgainst({ hooks }, cases, settings);
  return { finding: result?.findings[0], fired };
}

it.each([
  ["500-on-key-37", "R12"],
  ["regress-after-3-dups", "R13"],
])("what is found on %s is found again by its seed and path alone", async (mutant, id) => {
  const first = await findOn(mutant, id);
  const { seed, path } = first.finding?.replay ?? { seed: Number.NaN, path: "" };
  expect(path).toMatch(/^[\d:]+(\|.+)?$/);
  const again = await findOn(mutant, id, { seed, fuzz_path: path });
  expect(again.finding?.code).toBe(first.finding?.code);
  // Nothing else was tried on the way.
  expect(again.fired).toBeLessThanOrEqual(first.fired);
  expect(again.finding?.replay?.seed).toBe(seed);
});

it("keeps the request that does it among the exchanges of the finding", async () => {
  const { finding } = await findOn("500-on-key-37", "R12");
  const bodies = finding?.exchanges.map(({ request }) => request.body.toString()) ?? [];
  expect(bodies.length).toBe(2);
  for (const body of bodies) expect(body).toContain("%");
  expect(finding?.exchanges.map(({ reply }) => reply?.status)).toEqual([500, 500]);
});
