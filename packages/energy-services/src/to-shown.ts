/** Data as a message shows it: short, and without anything that a terminal would act on. */
export function toShown(text: string, most: number): string {
  return text
    .slice(0, most)
    .replace(
      /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}
