import type { UseCase, UseCaseService } from "../model/use-case.ts";
import type { ResolvedPlanOptions } from "./options.ts";

/** A folder's container. */
export function toContainer(folder: string): string {
  return `${folder}1`;
}

/** `File Based Energy Pipeline`, `Portugal-Node-Sidecar`: every word of the folder's name with a capital. */
export function toBlueprintName(use_case: string): string {
  return use_case
    .replaceAll("_", " ")
    .replace(/\p{L}+/gu, (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase());
}

/** The image of a service without registry and tag; services at one address are one image. */
export function toImageName({ name }: UseCase, { ip_address }: UseCaseService): string {
  return `${name}-${ip_address}`.toLowerCase().replaceAll(":", "-");
}

/** The image as deployments name it. */
export function toImage(
  useCase: UseCase,
  service: UseCaseService,
  { registry, tag, digests }: ResolvedPlanOptions,
): string {
  const name = toImageName(useCase, service);
  const digest = Object.hasOwn(digests, name) ? `@${digests[name]}` : `:${tag}`;
  return `${registry === "" ? "" : `${registry}/`}${name}${digest}`;
}
