import type { ReplyKind } from "@aieffect/control-interface";

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
  /** Of a conversation over a raw socket: all that was written. */
  written?: readonly WrittenPiece[];
  /** Of one: every byte that came back. */
  received?: Buffer;
}

/** Everything that was exchanged in a run, in the order in which it ended. Only ever grows. */
export class History {
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

  add(exchange: Omit<Exchange, "n">): Exchange {
    const kept = { n: this.#exchanges.length, ...exchange };
    this.#exchanges.push(kept);
    this.#onExchange(kept);
    return kept;
  }

  /** All of them so far. */
  get exchanges(): readonly Exchange[] {
    return this.#exchanges;
  }
}
