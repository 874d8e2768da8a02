import type { Verdict } from "@aieffect/control-interface";
import type { Code } from "../codes/codes.ts";
import type { Exchange } from "../wire/exchange.ts";

/** Which code a reply has earned that the oracle refuses. */
export function codeOfRefusal({ reply }: Exchange, verdict: Verdict | undefined): Code {
  if (reply === undefined) return "E_NO_REPLY";
  if (reply.status >= 500) return "E_SERVER_ERROR";
  if (reply.status >= 400) return "E_UNEXPECTED_STATUS";
  if (verdict?.outcome === "hangs") return "E_TASK_ID_MISSING";
  const rules = verdict?.rules ?? [];
  if (rules.includes("R-READ-03") || rules.includes("R-READ-04")) return "E_NOT_JSON";
  if (rules.includes("R-READ-05")) return "E_STATUS_LITERAL";
  const fields = verdict?.fields ?? [];
  if (fields.includes("error")) return "E_ERROR_NOT_TEXT";
  if (fields.includes("task_id")) return "E_TASK_ID_TYPE";
  if (fields.includes("progress")) return "E_PROGRESS_TYPE";
  if (fields.some((field) => field.startsWith("output"))) return "E_REFERENCE_INVALID";
  return "E_REPLY_REFUSED";
}
