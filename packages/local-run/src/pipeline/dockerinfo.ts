/** Where the containers of a blueprint are; the port is a text, as the portal exports it. */
export interface Dockerinfo {
  docker_info_list: { container_name: string; ip_address: string; port: string }[];
}

/**
 * The dockerinfo of services that run on this machine, sorted by container name.
 *
 * @param urls base URL by container name, e.g. `{ data_analyzer1: "http://127.0.0.1:40123" }`
 * @throws TypeError when one is not an http URL without a path, which a dockerinfo cannot express
 */
export function toDockerinfo(urls: Readonly<Record<string, string>>): Dockerinfo {
  const names = Object.keys(urls).sort();
  return {
    docker_info_list: names.map((container_name) => ({
      container_name,
      ...address(urls[container_name] ?? ""),
    })),
  };
}

function address(url: string): { ip_address: string; port: string } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "http:" || parsed.pathname !== "/") {
    throw new TypeError(`Expected a base URL like http://127.0.0.1:8080, found "${url}"`);
  }
  return { ip_address: parsed.hostname, port: parsed.port === "" ? "80" : parsed.port };
}
