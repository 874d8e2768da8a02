import type { CaseContext } from "../../engine/context.ts";
import type { SpawnedTarget } from "../../target/spawn.ts";

/** Starts a service that was stopped; one that does not come up ends the case. */
export async function startAgain(t: CaseContext, spawned: SpawnedTarget): Promise<void> {
  const problem = await spawned.restart().then(
    () => undefined,
    (error: Error) => error.message,
  );
  t.require(problem === undefined, "E_NO_RESTART", {
    level: "MUST",
    expected: "the service to come up again",
    found: problem ?? "",
  });
}
