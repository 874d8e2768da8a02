import { createRequire } from "node:module";
import type Libsql from "libsql";

/** A connection to a database file; the calls are synchronous. */
export type Database = Libsql.Database;

/** The package libsql, which is installed only where it is used. @throws TypeError saying how to install it */
export function loadLibsql(): typeof Libsql {
  try {
    return createRequire(import.meta.url)("libsql");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const found = code === "MODULE_NOT_FOUND" ? "none" : `one that cannot be loaded: ${message}`;
    throw new TypeError(
      `Expected the package libsql, which keeps tasks in a file, found ${found}; run npm install libsql, or choose TASK_STORE=memory`,
      { cause },
    );
  }
}
