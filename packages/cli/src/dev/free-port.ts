import { type AddressInfo, createServer } from "node:net";

/** The port if nobody listens there, a free one for 0, undefined where it is taken. */
export async function freePort(port: number, host: string): Promise<number | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
    return (server.address() as AddressInfo).port;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return undefined;
    throw error;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
