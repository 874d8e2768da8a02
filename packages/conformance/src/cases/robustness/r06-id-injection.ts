import { defineCase } from "../../engine/case.ts";
import { excerpt, requireAlive, requireUnknownIds, withstood } from "./probe.ts";

const up = 12;
const targets = ["etc/passwd", "windows/win.ini"];

/** As they stand in the request line. The first ones some servers rightly clean up, by a redirect or by themselves. */
const cleanable = [
  "..",
  "%2e%2e",
  `${"..%2f".repeat(up)}proc%2fself%2fenviron`,
  ...targets.flatMap((file) => [
    "../".repeat(up) + file,
    "%2e%2e/".repeat(up) + file,
    "..%2f".repeat(up) + file.replaceAll("/", "%2f"),
    "%2e%2e%2f".repeat(up) + file.replaceAll("/", "%2f"),
    `%2f${file.replaceAll("/", "%2f")}`,
  ]),
];

const plain = [
  ...targets.flatMap((file) => [
    "..%5c".repeat(up) + file.replaceAll("/", "%5c"),
    "%252e%252e%252f".repeat(up) + file.replaceAll("/", "%252f"),
    `${"..%2f".repeat(up)}${file.replaceAll("/", "%2f")}%00.json`,
  ]),
  "%00",
  "a%00b",
  "%",
  "%zz",
  "%ff%fe",
  "%ed%a0%80",
  "%0d%0aSet-Cookie:x=1",
  "'%20OR%20'1'='1",
  "*",
  "%2a",
  "~root",
  "file:%2f%2f%2fetc%2fpasswd",
  "a".repeat(8 * 1024),
];

/** Lines that are in such files and nowhere else. */
const isFile = /\broot:[^:\n]*:0:0:|\bPATH=\/[^\0]*\0|; for 16-bit app support|\[fonts\]/;

export const idInjection = defineCase({
  id: "R06",
  slug: "rob/id-injection",
  profile: "robustness",
  level: "MUST",
  because: "security",
  rules: ["R-STAT-04", "R-OUT-03", "R-DATA-03", "R-EXEC-08"],
  needs: [],
  holds: "Ids that look like paths, have control characters or 8 KiB are refused, and no file is read",
  consequence: "Whoever reaches the service reads its files: keys, other workflows' data, passwords.",
  fix: "Look the id up among the service's own tasks, and take the path of a payload from the task, never from the id.",
  async run(t) {
    await requireUnknownIds(t);
    for (const word of ["status", "output", "data"]) {
      for (const [ids, mayBeCleaned] of [
        [cleanable, true],
        [plain, false],
      ] as const) {
        for (const id of ids) {
          const shown = id.length > 100 ? `${id.slice(0, 40)}...${id.slice(-20)}` : id;
          const exchange = await t.send({ path: `/control/${word}/${id}` });
          const reply = withstood(t, exchange, `the id ${shown}`, { close: id.length > 4096 });
          if (reply === undefined) continue;
          const body = reply.body.toString("latin1");
          if (
            !t.check(!isFile.test(body), "E_FILE_LEAK", {
              expected: `no file to be read for the id ${shown}`,
              found: excerpt(reply.body),
              at: exchange,
            })
          )
            continue;
          t.check(mayBeCleaned || reply.status >= 400, "E_UNEXPECTED_STATUS", {
            expected: `404 or another 4xx for the id ${shown}`,
            found: `${reply.status} ${excerpt(reply.body)}`,
            at: exchange,
          });
          t.check(!isBroughtAlong(id, reply.headers["set-cookie"]), "E_INJECTION", {
            expected: "no header that the id brought along",
            found: `Set-Cookie: ${reply.headers["set-cookie"]}`,
            at: exchange,
          });
        }
      }
    }
    await requireAlive(t, "odd ids");
  },
});

/** Cookies of the service's own are its business. */
function isBroughtAlong(id: string, cookies: string | undefined): boolean {
  return id.includes("Set-Cookie:x=1") && /(^|, )x=1/.test(cookies ?? "");
}
