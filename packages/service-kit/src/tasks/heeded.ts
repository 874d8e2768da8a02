/**
 * A promise that an operation is given and may forget to await. Its rejection still reaches who
 * awaits it, but one that nobody awaits does not end the process: a forgotten `await` fails one
 * task, which says so, and must not take all the others with it.
 */
export function heeded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
