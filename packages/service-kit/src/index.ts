export { concurrentService } from "./concurrent.ts";
export { controlRouter } from "./http/control-router.ts";
export type { RunningService } from "./http/serve.ts";
export { serve } from "./http/serve.ts";
export type {
  Content,
  Input,
  Operation,
  OperationContext,
  Port,
  PublishOptions,
  StreamOptions,
  Style,
} from "./operation.ts";
export { defineOperation } from "./operation.ts";
export type { RateLimit, ServeOptions, ServiceOptions } from "./options.ts";
export type { DataPlane, PlaneHost } from "./planes/data-plane.ts";
export { sequentialService } from "./sequential.ts";
export type { Service } from "./service.ts";
export { createMemoryStore } from "./stores/memory-store.ts";
export type { RedisStoreOptions } from "./stores/redis-store.ts";
export { createRedisStore } from "./stores/redis-store.ts";
export type { SqliteStoreOptions } from "./stores/sqlite-store.ts";
export { createSqliteStore } from "./stores/sqlite-store.ts";
export type { Begun, FolderNotes, NotedFolder, Retention, TaskStore } from "./stores/task-store.ts";
export type { Execution, ExecutionChange, Payload } from "./tasks/execution.ts";
