export { fixturesOf, needs } from "./needs.ts";
export type { StartRedisOptions, TestRedis } from "./redis.ts";
export { hasRedis, startRedis } from "./redis.ts";
export type { S3Fault, S3Request, S3Server, S3ServerOptions } from "./s3.ts";
export { startS3 } from "./s3.ts";
export { hasSmallDisks, onSmallDisk } from "./small-disk.ts";
export { tempFolder } from "./temp-folder.ts";
export { until } from "./until.ts";
