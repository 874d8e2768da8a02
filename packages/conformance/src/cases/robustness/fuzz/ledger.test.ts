import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Ledger, type Observation } from "./ledger.ts";

/** Calls to a task that ends at a moment; each is answered at a moment of its own between sending and end. */
const honest = fc.record({
  end_at: fc.nat(100),
  calls: fc.array(fc.record({ sent_at: fc.nat(100), thinks: fc.nat(30), travels: fc.nat(30) }), {
    maxLength: 20,
  }),
});

function observe({ end_at, calls }: typeof honest extends fc.Arbitrary<infer T> ? T : never): Observation[] {
  return calls.map(({ sent_at, thinks, travels }) => ({
    status: sent_at + thinks >= end_at ? "complete" : "running",
    sent_at,
    ended_at: sent_at + thinks + travels,
  }));
}

describe("the ledger", () => {
  it("finds nothing in what one task can have answered, in whatever order it is noted", () => {
    fc.assert(
      fc.property(honest, fc.infiniteStream(fc.nat()), (history, order) => {
        const shuffled = observe(history)
          .map((one) => ({ one, rank: order.next().value }))
          .sort((a, b) => a.rank - b.rank);
        const ledger = new Ledger();
        expect(shuffled.map(({ one }) => ledger.saw("h", one)).filter(Boolean)).toEqual([]);
      }),
    );
  });

  it("finds a task that runs again, in whatever order it is noted", () => {
    fc.assert(
      fc.property(honest, fc.boolean(), (history, isLate) => {
        const seen = observe(history);
        const end = seen.find(({ status }) => status === "complete");
        fc.pre(end !== undefined);
        const again = { status: "running", sent_at: (end?.ended_at ?? 0) + 1, ended_at: 1000 };
        const ledger = new Ledger();
        const found = (isLate ? [...seen, again] : [again, ...seen]).map((one) => ledger.saw("h", one));
        expect(found).toContain("h was complete, then running");
      }),
    );
  });

  it("finds a task that ends twice, and a handle that is told twice", () => {
    const ledger = new Ledger();
    ledger.saw("h", { status: "failed", sent_at: 1, ended_at: 2 });
    expect(ledger.saw("h", { status: "complete", sent_at: 1, ended_at: 2 })).toBe(
      "h was failed, then complete",
    );
    expect(ledger.endOf("h")).toBe("failed");
    expect([ledger.issued("h", "w/t"), ledger.issued("h", "w/t")]).toEqual([undefined, undefined]);
    expect(ledger.issued("h", "w/u")).toBe("handle h was told for w/u, and for w/t before");
  });
});
