import type { History, SilenceKind } from "../wire/exchange.ts";
import { sendRaw } from "../wire/raw.ts";
import type { createWire, WireOptions } from "../wire/send.ts";
import type { Calibrator } from "./calibrate.ts";
import type { ConformanceCase, Need } from "./case.ts";
import {
  completes,
  fails,
  firstOf,
  isLasting,
  isSlowFor,
  onePerMethod,
  pairOf,
  samplesFor,
} from "./choose-samples.ts";
import { type CaseContext, type Findings, stops } from "./context.ts";
import { type Driver, readAs } from "./drive.ts";
import { whatToAdd } from "./obstacles.ts";
import type { Facts } from "./options.ts";
import { fetchPayload, fingerprint, readPayload } from "./payload.ts";
import type { Preparation } from "./preparation.ts";
import { CaseStop } from "./stop.ts";
import { createTimed } from "./timed.ts";

/** What the cases of a run share. */
export interface Parts {
  wire: ReturnType<typeof createWire>;
  wireOptions: WireOptions;
  history: History;
  driver: Driver;
  calibrator: Calibrator;
  payloads: Parameters<typeof readPayload>[1];
  nextId(prefix: string): string;
  beside: Preparation["beside"];
}

/** What a case works with; its checks go to `findings`. */
export function createContext(
  one: ConformanceCase,
  facts: Facts,
  parts: Parts,
  findings: Findings,
): CaseContext {
  const { wire, wireOptions, history, driver, calibrator, payloads, nextId } = parts;
  const { samples, settings, fixtures } = facts;
  const usable = samplesFor(one.profile, samples);
  const missing = (need: Need): never => stops.untestable(whatToAdd(need, one.profile));
  const context: CaseContext = {
    ...driver,
    base_url: wire.base_url,
    token: wire.token,
    settings,
    history,
    spawned: facts.options.spawned,
    get fixtures() {
      return fixtures ?? missing("fixtures");
    },
    operations: facts.operations,
    all_samples: samples,
    origins: payloads.origins,
    share: payloads.share,
    send: (call) => wire.send(call),
    raw: (call) => sendRaw(history, wireOptions, call),
    requestOf: driver.request,
    inputsOf: (sample) => driver.request(sample).inputs as Record<string, unknown>[],
    id: (prefix = "id") => nextId(prefix),
    payload: (reference) => readPayload(reference, payloads),
    fetch: (uri, call) => fetchPayload(uri, payloads, call),
    async calibrated(sample) {
      const calibration = await calibrator.of(sample);
      const { fingerprint } = calibration;
      if (fingerprint === undefined) {
        return stops.untestable(`sample "${sample.name}" of ${sample.method}: ${calibration.problem}`);
      }
      return { ...calibration, fingerprint };
    },
    outputOf: calibrator.outputOf,
    fingerprintOf: (bytes, format, sample) => fingerprint(bytes, format, sample.compare),
    sample: () => firstOf(usable, completes) ?? missing("sample"),
    samples: () => onePerMethod(usable.filter(completes)),
    pair: () => pairOf(usable) ?? missing("pair"),
    failing: () => firstOf(usable, fails) ?? missing("failing"),
    slow: () => firstOf(samples, isSlowFor(one.profile)) ?? missing("slow"),
    lasting: () => firstOf(samples, isLasting),
    check: (holds, code, say) => findings.check(holds, code, say),
    require: (holds, code, say) => findings.require(holds, code, say),
    replied(exchange) {
      const { reply, silence } = exchange;
      if (reply !== undefined) return reply;
      findings.check(false, codeOfSilence(silence?.kind), {
        expected: `a reply to ${exchange.request.method} ${exchange.request.path.slice(0, 200)}`,
        found: silence?.message ?? "nothing",
        at: exchange,
      });
      throw new CaseStop("no reply");
    },
    handleOf(execute) {
      const reply = context.replied(execute);
      const handle = readAs(execute, "execute")?.task_id;
      if (handle) return handle;
      findings.check(false, "E_TASK_ID_MISSING", {
        expected: "running, with a task_id",
        found: reply.body.toString().slice(0, 200),
        at: execute,
      });
      throw new CaseStop("no handle");
    },
    tell: (code, say) => findings.add("info", code, say),
    note: (text) => void findings.notes.push(text),
    inconclusive: (code, say) => findings.add("inconclusive", code, say),
    ...stops,
    timed: createTimed(findings),
    beside: parts.beside,
    scaled: (ms) => ms * settings.time_scale,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms * settings.time_scale)),
  };
  // Spread would have read it.
  return context;
}

function codeOfSilence(kind: SilenceKind | undefined) {
  if (kind === "timeout") return "E_DEADLINE";
  return kind === "malformed" ? "E_MALFORMED_REPLY" : "E_NO_REPLY";
}
