import { connect } from "node:net";
import { until } from "@aieffect/test-support";
import { onTestFinished } from "vitest";

/** A connection on which a test says every byte itself. */
export interface RawConnection {
  send(text: string | Uint8Array): void;
  /** All that has come so far. */
  received(): string;
  /** Resolves with all that came, once it has this in it. */
  shows(text: string): Promise<string>;
  /** Resolves with all that came, once the other side has closed. */
  closed(): Promise<string>;
  end(): void;
}

/** A message as it came. */
export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Opens a connection to the host and port of a URL; it is closed when the test has ended. */
export async function connectRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  let isClosed = false;
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  // A reset is an end as well; what had come before it counts.
  socket.on("error", () => {});
  socket.on("close", () => {
    isClosed = true;
  });
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve) => socket.once("connect", resolve));
  return {
    send: (piece) => void socket.write(piece),
    received: () => text,
    shows: async (piece) => {
      await until(`"${piece}" to come, after ${text}`, () => text.includes(piece));
      return text;
    },
    closed: async () => {
      await until("the connection to be closed", () => isClosed);
      return text;
    },
    end: () => void socket.destroy(),
  };
}

/** Takes an answer apart that came as one. */
export function readAnswer(text: string): RawAnswer {
  const [head = "", body = ""] = text.split(/\r\n\r\n(.*)/s);
  const [first = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line) => [line.split(":")[0]?.toLowerCase(), line.replace(/^[^:]*:\s*/, "")]);
  return { status: Number(first.split(" ")[1]), headers: Object.fromEntries(headers), body };
}
