import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Exchange } from "../../wire/exchange.ts";
import { firstRegression } from "./status-order.ts";

type Told = [sent_at: number, ended_at: number, status: string];

function exchange(method: string, path: string, sent_at: number, ended_at: number, body: unknown): Exchange {
  return {
    n: 0,
    case_id: "",
    kind: undefined,
    valid: true,
    request: { method, path, headers: [], body: Buffer.alloc(0) },
    reply: { status: 200, headers: {}, body: Buffer.from(JSON.stringify(body)), cut: false },
    silence: undefined,
    sent_at,
    answered_at: ended_at,
    ended_at,
    connection: 1,
  };
}

const issued = exchange("POST", "/base/control/execute", 0, 1, { status: "running", task_id: "h" });
const history = (told: Told[], id = "h") => [
  issued,
  ...told.map(([sent_at, ended_at, status]) =>
    exchange("GET", `/base/control/status/${id}`, sent_at, ended_at, { status }),
  ),
];
const regressed = (told: Told[], id?: string) => firstRegression(history(told, id)).regression !== undefined;

describe("the order of statuses", () => {
  it.each<[string, Told[], boolean]>([
    [
      "running, then complete",
      [
        [1, 2, "running"],
        [3, 4, "complete"],
        [5, 6, "complete"],
      ],
      false,
    ],
    [
      "running after complete",
      [
        [1, 2, "complete"],
        [3, 4, "running"],
      ],
      true,
    ],
    [
      "running asked for before complete was told",
      [
        [1, 4, "complete"],
        [3, 9, "running"],
      ],
      false,
    ],
    [
      "failed after complete",
      [
        [1, 2, "complete"],
        [3, 4, "failed"],
      ],
      true,
    ],
    [
      "two ends, even at once",
      [
        [1, 4, "complete"],
        [1, 4, "failed"],
      ],
      true,
    ],
  ])("%s", (_what, told, expected) => {
    expect(regressed(told)).toBe(expected);
  });

  it("looks at handles that were told, not at ids that were sent", () => {
    expect(
      regressed(
        [
          [1, 2, "complete"],
          [3, 4, "running"],
        ],
        "task_1",
      ),
    ).toBe(false);
    expect(firstRegression([issued]).handles).toBe(0);
  });

  it("accepts whatever a task that ends once can be seen as", () => {
    const call = fc.tuple(fc.nat(100), fc.nat(30), fc.boolean());
    fc.assert(
      fc.property(fc.nat(100), fc.constantFrom("complete", "failed"), fc.array(call), (end, word, calls) => {
        const told = calls.map(([sent_at, took, early]): Told => {
          // The service looks at some moment between question and answer.
          const looked_at = early ? sent_at : sent_at + took;
          return [sent_at, sent_at + took + 0.1, looked_at < end ? "running" : word];
        });
        expect(regressed(told)).toBe(false);
      }),
    );
  });
});
