import type { FixtureHost } from "../target/fixture-host.ts";
import type { Sample } from "../target/sample.ts";
import type { SpawnedTarget } from "../target/spawn.ts";
import type { ConformanceCase, Profile } from "./case.ts";
import type { OperationsInfo, Settings } from "./context.ts";
import type { RunEvent } from "./events.ts";
import type { KnownFailing } from "./known-failing.ts";

/** What a run judges, and how. Everything but the URL has a default. */
export interface RunOptions {
  /** Base URL of the service, as in `http://127.0.0.1:8080`. */
  url: string;
  token?: string | undefined;
  samples?: readonly Sample[];
  /** What the service says it is; a gap is then NOT PROVEN instead of silence. @default [] */
  claims?: readonly Profile[];
  /** Which cases the report is about. @default all of the catalogue */
  cases?: readonly ConformanceCase[];
  /** Why one of them is not to be run; it is in the report all the same. @default all are run */
  skip?: (one: ConformanceCase) => string | undefined;
  /** Run every case so often; the worst result counts, and says how often it came. @default 1 */
  repeat?: number;
  /** What only warns otherwise, fails. @default false */
  strict?: boolean;
  settings?: Partial<Settings>;
  /** Run what can harm. @default only on loopback */
  allow_destructive?: boolean | undefined;
  /** Stop at the first case that fails. @default false */
  fail_fast?: boolean;
  /** The service's process, where the harness started it. */
  spawned?: SpawnedTarget | undefined;
  /** Origins under which peers reach the service, and those under which the harness does. */
  origins?: Readonly<Record<string, string>>;
  /** The folder here that the service sees as its own. */
  share?: string | undefined;
  /** Under which name the service reaches the harness. @default 127.0.0.1 for a service on loopback, else none */
  fixture_host?: string | undefined;
  fixture_port?: number | undefined;
  /** Bytes of a hosted file by name, for `!fixture`. */
  readFixture?: ((name: string) => Promise<Buffer>) | undefined;
  known_failing?: readonly KnownFailing[];
  /** Sent with every call. */
  headers?: Readonly<Record<string, string>>;
  /** @default 20,000 */
  max_requests?: number;
  signal?: AbortSignal | undefined;
  onEvent?: (event: RunEvent) => void;
}

/** What decides whether a case can run. */
export interface Facts {
  options: RunOptions;
  settings: Settings;
  fixtures: FixtureHost | undefined;
  operations: OperationsInfo | undefined;
  samples: readonly Sample[];
  isLoopback: boolean;
}
