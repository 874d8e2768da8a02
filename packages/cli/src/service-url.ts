import { readServiceEnvironment } from "./environment.ts";
import { UsageError } from "./usage-error.ts";

/** Where a service is: as given, else on this machine, at PORT or 8080. @throws UsageError for what no orchestrator could call */
export function serviceUrl(given: string | undefined): URL {
  const text = given ?? `http://localhost:${readServiceEnvironment().port}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.protocol !== "http:" || url.pathname !== "/" || url.search !== "") {
    throw new UsageError(
      `Expected --url to be http://host:port, which is all that an orchestrator can call, found "${text}"`,
    );
  }
  return url;
}
