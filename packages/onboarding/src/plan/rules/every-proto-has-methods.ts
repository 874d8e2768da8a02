import type { Problem } from "../../problems/problem.ts";
import type { Rule } from "../check-use-case.ts";

/** A node without an operation cannot run. */
export const everyProtoHasMethods: Rule = ({ services }) =>
  services
    .filter(({ proto }) => proto.services.every(({ rpcs }) => rpcs.length === 0))
    .map(
      ({ proto_file, proto }): Problem => ({
        code: "no-method",
        severity: "error",
        file: proto_file,
        line: proto.services[0]?.line,
        message: `Expected a service with an RPC, found ${proto.services.length === 0 ? "no service" : "none"}`,
        fix: "Declare what the service does, as in rpc LoadData(LoadDataRequest) returns (LoadDataResponse);",
      }),
    );
