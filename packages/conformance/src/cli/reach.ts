import { connect } from "node:net";
import { UnreachableError } from "./errors.ts";

/** So long a connection may take. */
const longest_ms = 5000;

/** Whether somebody listens there; what is said over the connection is for the cases. @throws UnreachableError at once, saying what to do */
export async function reach(url: string): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const number = Number(port || (protocol === "https:" ? 443 : 80));
  const socket = connect({ host, port: number });
  const problem = await new Promise<string | undefined>((resolve) => {
    socket.setTimeout(longest_ms, () => resolve(`no connection within ${longest_ms / 1000} s`));
    socket.once("connect", () => resolve(undefined));
    socket.once("error", (error: NodeJS.ErrnoException & { errors?: Error[] }) =>
      resolve(explain(error.code ?? error.message, host, number)),
    );
    socket.once("close", () => resolve("the connection was closed"));
  });
  socket.destroy();
  if (problem === undefined) return;
  throw new UnreachableError(
    `Cannot reach ${url}: ${problem}.\nStart the service, or correct the URL; with --spawn 'COMMAND' the harness starts it itself.`,
  );
}

function explain(code: string, host: string, port: number): string {
  if (code === "ECONNREFUSED") return `nothing listens on port ${port}`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `the name ${host} is not known here`;
  return code;
}
