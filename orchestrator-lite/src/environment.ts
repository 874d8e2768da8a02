/** The only place that reads the environment; everything else takes options. */
type Environment = Readonly<Record<string, string | undefined>>;

/** What `serve` takes from the environment. */
export interface ServeEnvironment {
  host: string;
  port: number;
  api_key?: string;
  log_level: string;
  log_dir?: string;
  max_calls_per_service?: number;
}

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];

/**
 * HOST (127.0.0.1 without a key, else 0.0.0.0), PORT (8000), ORCHESTRATOR_API_KEY, LOG_LEVEL (info),
 * LOG_DIR, MAX_CALLS_PER_SERVICE (the option's default). Empty counts as unset. @throws TypeError naming the variable
 */
export function readServeEnvironment(env: Environment = process.env): ServeEnvironment {
  const api_key = valueIn(env, "ORCHESTRATOR_API_KEY");
  const log_dir = valueIn(env, "LOG_DIR");
  const port = valueIn(env, "PORT") ?? "8000";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new TypeError(`Expected PORT to be an integer from 0 to 65535, got "${port}"`);
  }
  const log_level = valueIn(env, "LOG_LEVEL") ?? "info";
  if (!logLevels.includes(log_level)) {
    throw new TypeError(`Expected LOG_LEVEL to be one of ${logLevels.join(", ")}, got "${log_level}"`);
  }
  const max_calls = valueIn(env, "MAX_CALLS_PER_SERVICE");
  if (max_calls !== undefined && !/^[1-9]\d{0,8}$/.test(max_calls)) {
    throw new TypeError(`Expected MAX_CALLS_PER_SERVICE to be an integer of at least 1, got "${max_calls}"`);
  }
  return {
    // Without a key the API is open to whoever reaches it.
    host: valueIn(env, "HOST") ?? (api_key === undefined ? "127.0.0.1" : "0.0.0.0"),
    port: Number(port),
    log_level,
    ...(api_key !== undefined && { api_key }),
    ...(log_dir !== undefined && { log_dir }),
    ...(max_calls !== undefined && { max_calls_per_service: Number(max_calls) }),
  };
}

/** Where relative paths of the user start: where they called npm or pnpm, which change the folder. */
export function readStartFolder(env: Environment = process.env): string {
  return valueIn(env, "INIT_CWD") ?? process.cwd();
}

/** A secret that the user named by its variable. @throws TypeError when it is not set */
export function readSecret(name: string, env: Environment = process.env): string {
  const secret = valueIn(env, name);
  if (secret === undefined)
    throw new TypeError(`Expected the environment variable ${name} to hold the key, it is not set`);
  return secret;
}

function valueIn(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}
