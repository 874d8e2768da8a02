import type { Answers, Generator } from "@aieffect/generators";
import { ScaffoldError } from "@aieffect/generators";

/** Asks what has not been answered. @throws ScaffoldError AE1901 on Ctrl-C */
export async function askMissing({ prompts }: Generator, given: Answers): Promise<Answers> {
  // Loaded only where there is somebody to ask.
  const { isCancel, select, text } = await import("@clack/prompts");
  const answers = { ...given };
  for (const { name, message, choices, initial, problem } of prompts) {
    if (answers[name] !== undefined) continue;
    const start = typeof initial === "string" ? initial : undefined;
    const answer = choices
      ? await select({
          message,
          options: choices.map(({ value, label }) => ({ value, label })),
          ...(start !== undefined && { initialValue: start }),
        })
      : await text({
          message,
          ...(start !== undefined && { initialValue: start }),
          validate: (value) => (value ? problem?.(value) : "Expected an answer, found none"),
        });
    if (isCancel(answer)) throw cancelled();
    answers[name] = answer;
  }
  return answers;
}

/** Shows what is going to be written and asks whether to. @throws ScaffoldError AE1901 on no and Ctrl-C */
export async function confirmPlan(where: string, list: string): Promise<void> {
  const { confirm, isCancel, note } = await import("@clack/prompts");
  note(list.trimEnd(), where);
  const answer = await confirm({ message: "Create it?" });
  if (isCancel(answer) || !answer) throw cancelled();
}

/** What ends everything with exit code 130. */
export function cancelled(): ScaffoldError {
  return new ScaffoldError("AE1901", { message: "cancelled" });
}
