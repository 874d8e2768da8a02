import type { ReceivedReply } from "../wire/exchange.ts";

/** Shorter ones are words that may stand anywhere. */
const shortest = 8;

/** Variables of the contract whose values stand in references, or tell nothing. */
const isPublic =
  /^(?:HOST|PORT|SELF_URL|GRPC_HOST|GRPC_PORT|DATA_DIR|LOG_LEVEL|LOG_DIR|TASK_STORE|NODE_ENV|PATH|PYTHON\w*)$/;

/** Values of an environment that no reply should have in it, by name. */
export function secretsOf(env: Readonly<Record<string, string>>): [name: string, value: string][] {
  return Object.entries(env).filter(([name, value]) => value.length >= shortest && !isPublic.test(name));
}

/** Whether a reply has a secret in it, as it is or as JSON writes it. */
export function shownIn({ headers, body }: ReceivedReply, secret: string): boolean {
  if (secret.length < shortest) return false;
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
  const head = Object.values(headers).join("\n");
  return forms.some((form) => body.includes(form) || head.includes(form));
}
