import type { CommandContext } from "./context.ts";
import { type FlagGroup, readFlags } from "./flags.ts";
import { toInteger } from "./read-values.ts";

/** The flags of `selftest`. */
export const selftestFlags: readonly FlagGroup[] = [
  {
    title: "Options",
    flags: [
      { name: "jobs", value: "N", help: "so many services are judged at once" },
      { name: "update", help: "write what every case sees now, instead of comparing with what it saw" },
      { name: "help", help: "this text" },
    ],
  },
];

/** What the self-test of the zoo is given. */
interface SelftestOptions {
  out: CommandContext["stdout"];
  only: readonly string[];
  update: boolean;
  jobs: number | undefined;
  signal: AbortSignal;
}

/** Proves that the suite can fail: runs it against services with known faults. @returns the exit code */
export async function selftest(args: readonly string[], context: CommandContext): Promise<number> {
  const { given, positionals } = readFlags("selftest", args, selftestFlags);
  const jobs = given.get("jobs")?.[0];
  // Only this command has a use for the zoo.
  const zoo = (await import(new URL("../zoo/selftest.js", import.meta.url).href)) as {
    selftest(options: SelftestOptions): Promise<number>;
  };
  return zoo.selftest({
    out: context.stdout,
    only: positionals,
    update: given.has("update"),
    jobs: jobs === undefined ? undefined : toInteger("jobs", jobs, 1),
    signal: context.signal,
  });
}
