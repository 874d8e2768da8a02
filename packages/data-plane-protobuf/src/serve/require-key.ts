import type { PlaneHost } from "@aieffect/service-kit";
import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";

/** Asks every call for the service's key (R-GRPC-08), all but health checks, as `/health` asks for none (R-HEALTH-02). */
export function requireKey(authenticate: NonNullable<PlaneHost["authenticate"]>): ServerInterceptor {
  return ({ path }, call) => {
    if (path.startsWith("/grpc.health.v1.Health/")) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, proceed) {
            try {
              authenticate(metadata.get("authorization")[0]?.toString());
            } catch {
              call.sendStatus({
                code: status.UNAUTHENTICATED,
                details: "Expected the service's key as the metadata authorization: Bearer <key>",
              });
              return;
            }
            proceed(metadata);
          },
        }),
    });
  };
}
