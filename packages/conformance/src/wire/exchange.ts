import { judgeReply, type ReplyKind, type Verdict } from "@aieffect/control-interface";

/** A request as it went out. */
interface SentRequest {
  method: string;
  /** As it stood in the request line, never normalised. */
  path: string;
  headers: readonly (readonly [name: string, value: string])[];
  body: Buffer;
}

/** A reply as it came in. */
export interface ReceivedReply {
  status: number;
  /** Names in lower case; of a repeated one all values, joined by a comma. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** The body was longer than the harness keeps. */
  cut: boolean;
}

/** Why there is no reply. */
export type SilenceKind =
  /** Nobody listens. */
  | "refused"
  /** The connection was closed or reset before the reply was whole. */
  | "closed"
  /** What came is not HTTP, or its framing is wrong. */
  | "malformed"
  /** Nothing, or not all of it, came in time. */
  | "timeout"
  /** The harness gave up on purpose. */
  | "given up";

/** What was written to a raw socket: bytes, a pause in ms, or bytes many times over. */
export type WrittenPiece = Buffer | number | { bytes: Buffer; times: number };

/** One request and what became of it. The history of a run is a list of these. */
export interface Exchange {
  /** Its place in the history. */
  n: number;
  /** The case that sent it; empty where the harness did between cases. */
  case_id: string;
  /** Which of the orchestrator's calls it is; undefined for any other. */
  kind: ReplyKind | undefined;
  /** The request is one that a conformant service has to understand, so that monitors judge the reply. */
  valid: boolean;
  /** The case allows a 5xx here, so that monitors do not mind one. */
  may_be_5xx?: boolean;
  request: SentRequest;
  reply: ReceivedReply | undefined;
  silence: { kind: SilenceKind; message: string } | undefined;
  /** Milliseconds since the run began: the first byte sent, the head of the reply, its end. */
  sent_at: number;
  answered_at: number | undefined;
  ended_at: number;
  /** Which connection it went over. */
  connection: number;
  /** What the orchestrator makes of the whole reply, where only its beginning is kept. */
  judged?: Verdict<ReplyKind>;
  /** Of a conversation over a raw socket: all that was written. */
  written?: readonly WrittenPiece[];
  /** Of one: every byte that came back. */
  received?: Buffer;
}

/** Longer bodies are kept whole only as long as there is room. */
export const longestKept = 2 ** 20;
/** So much of the longer ones is kept, and so much of all that came back over a raw socket. */
const keptOfReply = 4096;
const keptOfConversation = 2 ** 16;
/** Room for longer bodies of a whole run: a service that answers with many of them must not fill the memory. */
const roomForLong = 64 * 2 ** 20;

/** So much is read at once, over all connections; what a service sends beyond that is not kept. */
export const mostReading = 256 * 2 ** 20;

/** An exchange of whose bodies, where they are long, only the beginning is kept, with what the orchestrator makes of the whole. */
export function inBrief<E extends Omit<Exchange, "n">>(exchange: E): E {
  const { kind, reply, received } = exchange;
  const isLong = reply !== undefined && reply.body.length > longestKept;
  const brief = (bytes: Buffer, length: number) => Buffer.from(bytes.subarray(0, length));
  return {
    ...exchange,
    ...(isLong && { reply: { ...reply, body: brief(reply.body, keptOfReply), cut: true } }),
    ...(isLong && kind !== undefined && !reply.cut && { judged: judgedOf(kind, reply) }),
    ...(received !== undefined &&
      received.length > longestKept && { received: brief(received, keptOfConversation) }),
  };
}

/** The verdict without the long texts that it quotes. */
function judgedOf(kind: ReplyKind, { status, body }: ReceivedReply): Verdict<ReplyKind> {
  return shortened(judgeReply({ kind, status, body })) as Verdict<ReplyKind>;
}

/** A copy without the end of what is long. */
function shortened(value: unknown): unknown {
  if (typeof value === "string") {
    // A slice of a text would keep all of it.
    return value.length > keptOfReply ? Buffer.from(value.slice(0, keptOfReply)).toString() : value;
  }
  if (Array.isArray(value)) return value.slice(0, keptOfReply).map(shortened);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shortened(member)]));
}

/** Everything that was exchanged in a run, in the order in which it ended. Only ever grows. */
export class History {
  #room = roomForLong;
  /** Bytes of replies that are being read right now, over all connections. */
  reading = 0;
  readonly #began = performance.now();
  readonly #exchanges: Exchange[] = [];
  #onExchange: (exchange: Exchange) => void;

  constructor(onExchange: (exchange: Exchange) => void = () => {}) {
    this.#onExchange = onExchange;
  }

  /** Milliseconds since the run began. */
  now(): number {
    return performance.now() - this.#began;
  }

  /** Notes an exchange, in brief where it is long; what is given back is whole. */
  add(exchange: Omit<Exchange, "n">): Exchange {
    const whole = { n: this.#exchanges.length, ...exchange };
    const kept = this.#hasRoomFor(whole) ? whole : inBrief(whole);
    this.#exchanges.push(kept);
    this.#onExchange(kept);
    return whole;
  }

  #hasRoomFor({ kind, reply, received }: Exchange): boolean {
    const length = Math.max(reply?.body.length ?? 0, received?.length ?? 0);
    if (length <= longestKept) return true;
    // Cases compare payloads while they run; nobody looks at a long one later.
    if (kind === undefined || reply?.cut || length > this.#room) return false;
    this.#room -= length;
    return true;
  }

  /** All of them so far. */
  get exchanges(): readonly Exchange[] {
    return this.#exchanges;
  }
}
