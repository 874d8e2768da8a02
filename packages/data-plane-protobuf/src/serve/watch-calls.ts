import { constants, type ServerHttp2Stream } from "node:http2";
import type { PlaneHost } from "@aieffect/service-kit";
import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import { fullName } from "../reference/rpc.ts";

/** For each of these bytes of a message a caller has the time once more. */
const bytesPerTurn = 2 ** 20;

/** What watching calls needs of the service. */
interface WatchParts {
  host: Pick<PlaneHost, "countCall" | "log">;
  options: {
    /** So long a caller may take nothing, and as long again for each begun MiB of the message that it does not take. */
    send_idle_timeout_ms: number;
  };
}

/**
 * Counts every call in the service's metrics, also those that are refused before they reach a handler;
 * and resets those that do not take what they are sent. It would stay in memory until their connection
 * closes, because a status is only sent behind it. The caller is told RESOURCE_EXHAUSTED, and other
 * calls of its connection go on.
 */
export function watchCalls({ host, options }: WatchParts): ServerInterceptor {
  return ({ path }, call) => {
    const rpc = fullName(path);
    const count = host.countCall(rpc);
    let late: NodeJS.Timeout | undefined;
    let counted = false;

    function ended(code: status): void {
      if (!counted) count(status[code]);
      counted = true;
    }

    function reset(): void {
      host.log.warn(
        { rpc, peer: call.getPeer() },
        "a gRPC caller took nothing of its answer, and was cut off",
      );
      ended(status.RESOURCE_EXHAUSTED);
      // grpc-js has no door to this: it only closes whole connections, with other calls in them.
      (call as { stream?: ServerHttp2Stream }).stream?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }

    /** A responder is not told when a message has been taken; one at a time is on its way. */
    class WatchedCall extends ServerInterceptingCall {
      override sendMessage(message: unknown, onTaken: () => void): void {
        const bytes = message instanceof Uint8Array ? message.length : 0;
        const turns = 1 + Math.ceil(bytes / bytesPerTurn);
        clearTimeout(late);
        late = setTimeout(reset, Math.min(options.send_idle_timeout_ms * turns, 2 ** 31 - 1)).unref();
        super.sendMessage(message, () => {
          clearTimeout(late);
          onTaken();
        });
      }
    }
    return new WatchedCall(call, {
      start(next) {
        next({
          // After a status was sent as well. Without one the caller hung up, or its deadline came first.
          onCancel() {
            clearTimeout(late);
            ended(Number(call.getDeadline()) <= Date.now() ? status.DEADLINE_EXCEEDED : status.CANCELLED);
          },
        });
      },
      sendStatus(sent, next) {
        ended(sent.code ?? status.UNKNOWN);
        next(sent);
      },
    });
  };
}
