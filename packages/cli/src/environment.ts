/** The only place that reads the environment for the commands; empty counts as unset. */
type Environment = Readonly<Record<string, string | undefined>>;

/** What a service on this machine is started with, and reached by. */
export interface ServiceEnvironment {
  /** HOST (R-ENV-01). @default "127.0.0.1" */
  host: string;
  /** PORT, as it stands (R-ENV-01). @default "8080" */
  port: string;
  /** SELF_URL (R-ENV-02). */
  self_url: string | undefined;
  /** SERVICE_API_KEY (R-ENV-04). */
  api_key: string | undefined;
}

/** What is set of what services read, as far as commands need it. */
export function readServiceEnvironment(env: Environment = process.env): ServiceEnvironment {
  return {
    host: env.HOST || "127.0.0.1",
    port: env.PORT || "8080",
    self_url: env.SELF_URL || undefined,
    api_key: env.SERVICE_API_KEY || undefined,
  };
}

/** Where relative paths of the user start: where the package manager was called, which changes the folder. */
export function readStartFolder(env: Environment = process.env): string {
  return env.INIT_CWD || process.cwd();
}

/** The variables as a child process gets them. */
export function readEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env };
}
