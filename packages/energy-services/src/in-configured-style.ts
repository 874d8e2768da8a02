import type { Operation, Style } from "@aieffect/service-kit";

/**
 * The operation in the style that the environment asks for: `EXECUTION_STYLE` = `sequential` (the
 * default) or `concurrent`. Concurrent suits files for which 30 s are not enough (R-READ-11).
 *
 * @throws TypeError when the variable has any other value
 */
export function inConfiguredStyle<P>(
  operation: Operation<P>,
  env: NodeJS.ProcessEnv = process.env,
): Operation<P> {
  const style = env.EXECUTION_STYLE || "sequential";
  if (!isStyle(style)) {
    throw new TypeError(`Expected EXECUTION_STYLE to be "sequential" or "concurrent", found "${style}"`);
  }
  return { ...operation, style };
}

function isStyle(text: string): text is Style {
  return text === "sequential" || text === "concurrent";
}
