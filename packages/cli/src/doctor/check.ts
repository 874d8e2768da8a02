/** What a check came to. */
export interface Checked {
  /** Its name, for programs. */
  check: string;
  /** `warning` is what may be meant; `skipped` could not be looked at. */
  status: "ok" | "warning" | "failure" | "skipped";
  /** What was found. */
  found: string;
  /** What to do about it. */
  fix?: string;
}

/** A check, and what `--fix` does where it fails. */
export interface Check {
  run(): Promise<Checked | Checked[]>;
  /** Changes what is wrong. @returns what was done */
  repair?(): Promise<string>;
}
