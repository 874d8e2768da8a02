import type { Answer, Call, Hooks } from "./pristine.ts";

/** Changes answers to calls of one kind, by their parsed body; undefined leaves an answer as it is. */
export function answerFault(
  fired: () => void,
  path: RegExp,
  change: (body: Record<string, unknown>, answer: Answer, call: Call) => Partial<Answer> | undefined,
): Hooks {
  return {
    async call(call, next) {
      const answer = await next();
      if (!path.test(call.path)) return answer;
      const changed = change({ ...(answer.body as object) }, answer, call);
      if (changed === undefined) return answer;
      fired();
      return { ...answer, ...changed };
    },
  };
}

/** Answers to execute that end a task. */
export const onExecute = /^\/control\/execute$/;
export const onStatus = /^\/control\/status\//;
export const onOutput = /^\/control\/output\//;
export const onData = /^\/control\/data\//;
