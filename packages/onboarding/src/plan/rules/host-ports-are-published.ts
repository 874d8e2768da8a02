import type { Problem } from "../../problems/problem.ts";
import type { Rule } from "../check-use-case.ts";
import { hostPortOf } from "../host-port.ts";

/** With `local`, the compose file has to lead from the host to every service. */
export const hostPortsArePublished: Rule = (useCase, { local }) => {
  const { published, services } = useCase;
  if (!local) return [];
  if (published === undefined) {
    return [
      {
        code: "host-port",
        severity: "error",
        file: "docker-compose.yml",
        line: undefined,
        message: "Expected a compose file that publishes the services' ports on this host, found none",
        fix: "Write docker-compose.yml, or export without --local",
      },
    ];
  }
  if (published.problems.length > 0) return [...published.problems];
  return services
    .filter((service) => hostPortOf(service, useCase) === undefined)
    .map(({ folder, ip_address, port }): Problem => {
      const known = published.services.get(ip_address);
      return {
        code: "host-port",
        severity: "error",
        file: published.file,
        line: known?.line,
        message: `Expected a port of the host for port ${port} of ${folder} (${ip_address}), found ${
          known === undefined
            ? `no such service; there are ${[...published.services.keys()].join(", ") || "none"}`
            : known.ports.map(({ host, container }) => `${host}:${container}`).join(", ") || "no ports"
        }`,
        fix: `Publish it, as in ports: ["18080:${port}"]`,
      };
    });
};
