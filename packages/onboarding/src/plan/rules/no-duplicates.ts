import type { Problem } from "../../problems/problem.ts";
import type { Rule } from "../check-use-case.ts";
import { endsOf } from "../graph.ts";

/** A connection that is listed twice counts once: a warning. */
export const noDuplicates: Rule = ({ connections }) => {
  const first = new Map<string, number>();
  return connections.flatMap((connection): Problem[] => {
    const { from, to } = endsOf(connection);
    const known = first.get(`${from} ${to}`);
    if (known === undefined) {
      first.set(`${from} ${to}`, connection.line);
      return [];
    }
    return [
      {
        code: "duplicate",
        severity: "warning",
        file: "connections.json",
        line: connection.line,
        message: `Expected each connection once, found ${from} -> ${to} again, which is in line ${known} already`,
        fix: "Take one of the two out",
      },
    ];
  });
};
