import type { Sample } from "../../target/sample.ts";
import type { Answer, Call, Hooks, PristineOptions } from "../pristine.ts";

/** A service that is odd, but legal: no case may fail on it. */
export interface BenignService {
  /** As in `202-for-running`; permanent. */
  id: string;
  /** What is odd about it, in one sentence. */
  summary: string;
  /** How it is started, beside the oddity. */
  service?: Omit<PristineOptions, "hooks">;
  /** The oddity. It calls `fired` whenever it acts: one that never does proves nothing. */
  odd(fired: () => void): Hooks;
  /** Cases that warn, because the oddity is a SHOULD that does not hold. @default [] */
  warns?: readonly string[];
  /** Changes the samples of the manifest. */
  samples?: (samples: Sample[]) => Sample[];
}

/** Declares services; here so that they are checked where they are written. */
export function defineBenign(...services: BenignService[]): readonly BenignService[] {
  return services;
}

/** Changes every answer of a kind; undefined leaves one as it is. */
export function everyAnswer(
  fired: () => void,
  change: (answer: Answer, call: Call) => Partial<Answer> | undefined,
): Hooks {
  return {
    async call(call, next) {
      const answer = await next();
      if (answer.stream !== undefined) return answer;
      const changed = change(answer, call);
      if (changed === undefined) return answer;
      fired();
      return { ...answer, ...changed };
    },
  };
}

/** Whether a body is written as JSON. */
export function isJson(body: unknown): body is Record<string, unknown> {
  return body !== null && typeof body === "object" && !(body instanceof Uint8Array);
}

/** Changes every JSON body, as text. */
export function everyJson(fired: () => void, write: (body: Record<string, unknown>) => string): Hooks {
  return everyAnswer(fired, (answer) => {
    if (!isJson(answer.body)) return undefined;
    return {
      body: write(answer.body),
      headers: { "content-type": "application/json", ...answer.headers },
    };
  });
}
