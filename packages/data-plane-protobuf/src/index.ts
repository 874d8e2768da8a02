export type { DescribedMessage } from "./fetch/describe.ts";
export type { DescribeOptions, FetchOptions } from "./fetch/fetcher.ts";
export type { PeerTls, ProtobufPlaneOptions, ServerTls } from "./options.ts";
export type { Messages, ProtobufPlane, PublishingTask } from "./plane.ts";
export { createProtobufPlane } from "./plane.ts";
export type { Rpc } from "./reference/rpc.ts";
