import type { IncomingMessage } from "node:http";
import { ControlError, type ValidationIssue } from "@aieffect/control-interface";
import multer from "multer";
import { tooLarge } from "./upload-body.ts";
import { fieldNames } from "./upload-form.ts";

/** Longest text of a field, in bytes. */
export const maxFieldBytes = 64 * 1024;

/** @throws ControlError `unsupported_media_type`, or `internal` when somebody has read the body already */
export function assertMultipart({ headers, readableEnded }: IncomingMessage): void {
  const type = headers["content-type"] ?? "";
  if (!/^multipart\/form-data\s*;.*\bboundary=/i.test(type)) {
    throw new ControlError(
      "unsupported_media_type",
      `Expected multipart/form-data with a boundary and the file in the field \`file\` (R-UP-01), found ${JSON.stringify(type.slice(0, 100))}; with curl: -F file=@load.csv`,
    );
  }
  if (!readableEnded) return;
  throw new ControlError(
    "internal",
    "Expected the body of an upload unread, found it read by a middleware of the app; mount the control router before it",
  );
}

/** A 422 with all that is wrong (R-EXEC-12). */
export function refused(issues: ValidationIssue[]): ControlError {
  const message = issues.map(({ loc, msg }) => `${loc.slice(1).join(".") || "body"}: ${msg}`).join("; ");
  return new ControlError("invalid_request", message, { detail: issues });
}

/** What busboy says of a body that is not what its head announces. */
const broken = new Set([
  "Unexpected end of form",
  "Unexpected end of file",
  "Malformed part header",
  "Malformed content type",
]);

/** Says of what multer, or the parser in it, objected to what was expected and found; anything else stays as it is. */
export function toRefusal(error: unknown, max_file_bytes: number): unknown {
  if (error instanceof multer.MulterError) {
    if ((error.code as string) === "LIMIT_FILE_SIZE") return tooLarge(max_file_bytes, "a larger file");
    return refused([toIssue(error)]);
  }
  if (error instanceof Error && (broken.has(error.message) || error.message.startsWith("Multipart: "))) {
    const msg = `Expected whole multipart/form-data, found: ${error.message}`;
    return refused([{ loc: ["body"], msg, type: "multipart_invalid" }]);
  }
  return error;
}

function toIssue({ code, field, message }: multer.MulterError): ValidationIssue {
  const shown = field === undefined ? [] : [field.slice(0, 100)];
  switch (code) {
    case "LIMIT_FILE_COUNT":
    case "LIMIT_UNEXPECTED_FILE": {
      const msg = "Expected exactly one file, in the field `file`; found another one";
      return { loc: ["body", ...shown], msg, type: "extra_forbidden" };
    }
    case "LIMIT_FIELD_VALUE": {
      const msg = `Expected at most ${maxFieldBytes} bytes in a field, found more`;
      return { loc: ["body", ...shown], msg, type: "too_long" };
    }
    default: {
      const msg = `Expected one file and no other fields than ${fieldNames.join(", ")}; found: ${message}`;
      return { loc: ["body", ...shown], msg, type: "multipart_invalid" };
    }
  }
}
