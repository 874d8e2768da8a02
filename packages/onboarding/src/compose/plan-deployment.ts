import { checkExport } from "../check/check-export.ts";
import { ProblemsError } from "../problems/problem.ts";
import type { ReadExport } from "../read/read-export.ts";
import type { Deployment } from "./compose-model.ts";

/**
 * What an export says about where its containers run, without the use case that it was made from:
 * enough for a compose file, but for building images.
 *
 * @throws ProblemsError with everything that is wrong with the export
 */
export function planDeployment(read: ReadExport): Deployment {
  const { blueprint, dockerinfo } = read;
  const errors = checkExport(read).filter(
    ({ severity, code }) => severity === "error" && code !== "message-mismatch",
  );
  if (blueprint === undefined || dockerinfo === undefined || errors.length > 0)
    throw new ProblemsError(errors);
  const addresses = new Map(dockerinfo.docker_info_list.map((one) => [one.container_name, one]));
  const before = new Map<string, Set<string>>();
  for (const { container_name, operation_signature_list } of blueprint.nodes) {
    for (const { container_name: to } of operation_signature_list.flatMap((one) => one.connected_to))
      before.set(to, (before.get(to) ?? new Set()).add(container_name));
  }
  const services = blueprint.nodes.map(({ container_name, image = "" }) => {
    const { ip_address, port } = addresses.get(
      container_name,
    ) as (typeof dockerinfo.docker_info_list)[number];
    return {
      folder: container_name.replace(/1$/, ""),
      container_name,
      ip_address,
      port: Number(port),
      image,
      dockerfile: undefined,
      depends_on: [...(before.get(container_name) ?? [])].sort(),
    };
  });
  const name = blueprint.name.trim().toLowerCase().replaceAll(" ", "_");
  return {
    services,
    metadata: {
      use_case_name: name,
      use_case_directory: name,
      source_path: "",
      services: services.map(({ ip_address, container_name, image }) => ({
        service_name: ip_address,
        container_name,
        image_name: image,
      })),
    },
  };
}
