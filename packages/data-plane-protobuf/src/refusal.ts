import type { status } from "@grpc/grpc-js";

/** A call that is answered with a status other than OK, in a way that helps its caller. */
export interface Refusal extends Error {
  readonly code: status;
  readonly details: string;
}

/** Builds one, to be thrown. */
export function refusal(code: status, details: string): Refusal {
  return Object.assign(new Error(details), { code, details });
}

export function isRefusal(thrown: unknown): thrown is Refusal {
  return thrown instanceof Error && "details" in thrown && "code" in thrown;
}

/** An id of a caller's, short enough to be told back. */
export function shown(id: string): string {
  return JSON.stringify(id.length > 200 ? `${id.slice(0, 200)}...` : id);
}
