/**
 * A text as it may be shown: without secrets, and no longer than so many characters. In this order,
 * because a cut through a secret would leave a part of it that nothing recognises any more.
 */
export function toShown(text: string, secrets: readonly string[], maxLength: number): string {
  return redact(text, secrets).slice(0, maxLength);
}

/** Replaces every secret in a text, so that an error or log that quotes one does not spread it. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce(
    (clean, secret) => (secret === "" ? clean : clean.replaceAll(secret, "[redacted]")),
    text,
  );
}
