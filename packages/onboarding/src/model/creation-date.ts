/** Its groups are the day, the time and the fraction. */
export const creationDatePattern = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?)?$/;

/** Whether a text is a day, or a day with a time, that exists. */
export function isCreationDate(text: string): boolean {
  const [, day, time = "00:00:00"] = creationDatePattern.exec(text) ?? [];
  const date = new Date(`${day}T${time}Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(`${day}T${time}`);
}

/** As blueprints have it: `2026-02-25 01:55:50.342301`. */
export function toCreationDate(text: string): string {
  const [, day, time = "00:00:00", fraction = ""] = creationDatePattern.exec(text) ?? [];
  return `${day} ${time}.${fraction.padEnd(6, "0")}`;
}
