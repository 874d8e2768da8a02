const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;
/** So many letters and digits hold more than 80 bits. */
const randomLooking = /[A-Za-z0-9]{20,}/g;

/**
 * Whether nobody can make up this URL of a payload: it is signed, or its id is random. Ids that
 * orchestrators choose are not: they are the same in every run of a pipeline.
 */
export function isUnguessable(uri: string): boolean {
  const [path = "", query = ""] = uri.split("?", 2);
  return isRandom(path.split("/").at(-1) ?? "") || [...new URLSearchParams(query).values()].some(isRandom);
}

function isRandom(text: string): boolean {
  const pieces = text.match(randomLooking) ?? [];
  return uuid.test(text) || pieces.some((piece) => /(?:\d.*){3}/.test(piece) && /[a-z]/i.test(piece));
}
