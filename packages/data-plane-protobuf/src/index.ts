export type { PeerTls, ProtobufPlaneOptions, ServerTls } from "./options.ts";
export type { FetchOptions, Messages, ProtobufPlane, PublishingTask, Rpc } from "./plane.ts";
export { createProtobufPlane } from "./plane.ts";
