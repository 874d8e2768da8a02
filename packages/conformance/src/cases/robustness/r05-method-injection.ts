import { defineCase } from "../../engine/case.ts";
import {
  excerpt,
  isRefusal,
  lightSample,
  plainRequest,
  post,
  requireAlive,
  requireRefusals,
  withstood,
} from "./probe.ts";

const names = [
  " ",
  "\t\n",
  "__class__",
  "__init__",
  "__call__",
  "__import__('os').getcwd()",
  "handler.__globals__",
  "builtins.eval",
  "os.getcwd",
  "subprocess.check_output",
  "fs",
  "node:os",
  "child_process",
  "./index.js",
  "../package.json",
  "/etc/passwd",
  "..\\..\\windows\\win.ini",
  "file:///etc/passwd",
  "java.lang.Runtime",
  "System.Environment",
  "process.exit",
  "#{7*7}",
  "{{7*7}}",
  "$(id)",
  "; id",
  "' OR '1'='1",
];

export const methodInjection = defineCase({
  id: "R05",
  slug: "rob/method-injection",
  profile: "robustness",
  level: "MUST",
  because: "security",
  rules: ["R-EXEC-13"],
  needs: [],
  holds:
    "Names that mean something to a language, a shell or a file system are unknown methods like any other",
  consequence: "Whoever reaches the service runs code in it that was never meant to be a method.",
  fix: "Look the name up in a fixed table of methods; never in getattr, import, require, eval or a path.",
  async run(t) {
    await requireRefusals(t);
    const method = lightSample(t)?.method;
    const derived =
      method === undefined
        ? []
        : [`${method}.__call__`, `${method}.constructor`, `./${method}`, `${method}\u0000`];
    for (const name of [...names, ...derived, "A".repeat(64 * 1024)]) {
      const shown = name.length > 100 ? `${name.slice(0, 10)}... of 64 KiB` : name;
      const exchange = await post(t, plainRequest(t, { method: name }));
      const reply = withstood(t, exchange, `the method ${JSON.stringify(shown)}`);
      if (reply === undefined) continue;
      t.check(isRefusal(exchange) || reply.status >= 400, "E_INJECTION", {
        expected: `method ${JSON.stringify(shown)} to be refused like any unknown one`,
        found: `${reply.status} ${excerpt(reply.body)}`,
        at: exchange,
      });
    }
    await requireAlive(t, "odd names of methods");
  },
});
