/**
 * The keys to show to the other services of a pipeline: `SERVICE_API_KEY`, which they all have, for
 * every host that `PEER_HOSTS` lists, separated by commas; for the option `peer_keys`. Nobody else is
 * ever sent the key (R-SIGN-04).
 *
 * @throws TypeError when a host is not one
 */
export function peerKeys(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const key = env.SERVICE_API_KEY?.trim();
  const hosts = (env.PEER_HOSTS ?? "").split(",").flatMap((host) => host.trim() || []);
  const bad = hosts.find((host) => !/^[\w.-]+(:\d{1,5})?$/.test(host));
  if (bad !== undefined) {
    throw new TypeError(`Expected PEER_HOSTS to be hosts separated by commas, found "${bad}" among them`);
  }
  return key ? Object.fromEntries(hosts.map((host) => [host, key])) : {};
}
