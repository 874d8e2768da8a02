import { answerFault, onExecute } from "../faults.ts";
import { defineMutants } from "../mutant.ts";

/** Faults that cases of the profile core have to catch. */
export const coreMutants = defineMutants(
  {
    id: "health-500",
    breaks: "C01",
    code: "E_HEALTH_STATUS",
    summary: "/health answers 500",
    fault: (fired) => answerFault(fired, /^\/health$/, () => ({ status: 500 })),
  },
  {
    id: "status-completed",
    breaks: "C05",
    code: "E_STATUS_LITERAL",
    summary: 'says "completed" instead of "complete"',
    fault: (fired) =>
      answerFault(fired, onExecute, (body) =>
        body.status === "complete" ? { body: { ...body, status: "completed" } } : undefined,
      ),
  },
);
