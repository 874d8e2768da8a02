import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type ServiceEnvironment, toServiceEnvironment } from "./environment.ts";
import { type ServiceProcess, startServiceProcess } from "./service-process.ts";

/** A service that can be run as a process of its own. */
export interface ServiceProgram {
  /** The container's name in the blueprint, e.g. `data_analyzer1`. */
  container_name: string;
  /** Path of the program's entry file, run with this Node. */
  entry: string;
  /** Variables for this service alone. @default none */
  env?: Readonly<Record<string, string>>;
}

/** How {@link startServices} runs its programs. */
export interface StartServicesOptions extends ServiceEnvironment {
  programs: readonly ServiceProgram[];
  /** Folder of the logs, one `<container_name>.log` each, begun anew. @default `<data_dir>/logs` */
  log_dir?: string;
  /** How long a service may take to say that it listens, in ms. @default 20,000 */
  start_timeout_ms?: number;
  /** Gives up while starting. */
  signal?: AbortSignal;
}

/** Services that run. Call `stop` when done; should this process die before, they end by themselves. */
export interface RunningServices {
  readonly services: readonly ServiceProcess[];
  /** Base URL by container name. */
  readonly urls: Readonly<Record<string, string>>;
  /** Most memory each one has held so far, in bytes; a service that has ended is missing. */
  peakRss(): Promise<Record<string, number>>;
  /** Stops all, each by its own process id, and waits for their end. Calling it again waits as well. */
  stop(): Promise<void>;
}

/**
 * Starts services as child processes with a shared data folder, all at once, and resolves when
 * every one listens.
 *
 * @throws Error with the last lines of its log when one does not start; the others are stopped
 */
export async function startServices(options: StartServicesOptions): Promise<RunningServices> {
  const { programs, data_dir, log_dir = join(data_dir, "logs"), start_timeout_ms = 20_000, signal } = options;
  await mkdir(log_dir, { recursive: true });
  const outcomes = await Promise.allSettled(
    programs.map((program) =>
      startServiceProcess({
        ...program,
        env: toServiceEnvironment({ ...options, extra: { ...options.extra, ...program.env } }),
        log_file: join(log_dir, `${program.container_name}.log`),
        start_timeout_ms,
        ...(signal && { signal }),
      }),
    ),
  );
  const services = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const stop = async () => {
    await Promise.all(services.map((service) => service.stop()));
  };
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  return {
    services,
    urls: Object.fromEntries(services.map(({ container_name, url }) => [container_name, url])),
    async peakRss() {
      const peaks = await Promise.all(
        services.map(async (service) => [service.container_name, await service.peakRss()] as const),
      );
      return Object.fromEntries(peaks.filter((entry): entry is [string, number] => entry[1] !== undefined));
    },
    stop,
  };
}
