import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEvents } from "./event-stream.ts";

describe("parseEvents", () => {
  it("reads names, ids, data of several lines and comments", () => {
    const text = ": hello\n\nevent: status\nid: 1\ndata: a\ndata:b\n\n:\ndata\n\nid: 2\r\ndata: c\r\n\r\n";
    expect(parseEvents(text)).toEqual({
      comments: 2,
      events: [
        { id: "1", name: "status", data: "a\nb" },
        { id: "1", name: "message", data: "" },
        { id: "2", name: "message", data: "c" },
      ],
    });
  });

  it("leaves out an event that is not whole", () => {
    expect(parseEvents("data: a\n\ndata: b\n").events).toHaveLength(1);
  });

  it("reads back whatever was written", () => {
    const word = fc.stringMatching(/^[A-Za-z0-9 {}":,.-]*$/);
    const event = fc.record({ id: word, name: fc.constantFrom("status", "other"), data: word });
    fc.assert(
      fc.property(fc.array(event), fc.constantFrom("\n", "\r\n", "\r"), (events, end) => {
        const text = events
          .map(({ id, name, data }) => [`id: ${id}`, `event: ${name}`, `data: ${data}`, "", ""].join(end))
          .join("");
        expect(parseEvents(text).events).toEqual(events);
      }),
    );
  });
});
