import type { S3Options } from "@aieffect/data-plane-file";

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

/** The keys of an S3 store, as services read them; undefined without any. @throws TypeError for one without the other */
export function readS3Environment(env: Environment = process.env): S3Options | undefined {
  const access_key_id = env.AWS_ACCESS_KEY_ID || undefined;
  const secret_access_key = env.AWS_SECRET_ACCESS_KEY || undefined;
  if (access_key_id === undefined && secret_access_key === undefined) return undefined;
  if (access_key_id === undefined || secret_access_key === undefined) {
    throw new TypeError("Expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, found one of them; set both");
  }
  const { AWS_SESSION_TOKEN: session_token } = env;
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION;
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  return {
    access_key_id,
    secret_access_key,
    ...(session_token && { session_token }),
    ...(region && { region }),
    ...(endpoint && { endpoint }),
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
