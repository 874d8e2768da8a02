/**
 * What Redis does in one step. The scripts decide nothing but whether what was read is still so;
 * the rules are in decideBegin and applyChange. Each gives the same answer when it is sent twice,
 * because a reply can be lost with its connection.
 */
export const scripts = {
  /**
   * Keeps a new execution if nobody has begun one of the same kind meanwhile.
   * Keys: execution, rawId, runningAs, runningOn, replicas, lease, serial, idempotencyKey or none.
   * Arguments: version, JSON, handle, replica, ms of a lease, the handle read under runningAs, and
   * under idempotencyKey. Answers 0 for no, 1 for yes, 2 for yes although the lease had run out.
   */
  taskBegin: `
    if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
    if (redis.call('GET', KEYS[3]) or '') ~= ARGV[6] then return 0 end
    if KEYS[8] and (redis.call('GET', KEYS[8]) or '') ~= ARGV[7] then return 0 end
    redis.call('HSET', KEYS[1], 'v', ARGV[1], 'x', ARGV[2], 'r', ARGV[4])
    redis.call('SET', KEYS[3], ARGV[3])
    if KEYS[8] then redis.call('SET', KEYS[8], ARGV[3]) end
    redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[7]), ARGV[3])
    redis.call('PERSIST', KEYS[2])
    redis.call('SADD', KEYS[4], ARGV[3])
    redis.call('SADD', KEYS[5], ARGV[4])
    if redis.call('SET', KEYS[6], '1', 'PX', ARGV[5], 'NX') then return 2 end
    return 1`,

  /**
   * Keeps a changed execution if it is as it was read, and tells everybody.
   * Keys: execution, runningAs, runningOn, rawId, ended, serial, lease of who runs it, its idempotencyKeys.
   * Arguments: version read, new version, JSON, handle, channel, '1' to do it only without that
   * lease; when it ends, else '': the time, its sizes, ms after which it may go by itself.
   * Answers 1 for yes, 0 when it was changed, -1 when the lease is there.
   */
  taskChange: `
    local version = redis.call('HGET', KEYS[1], 'v')
    if version == ARGV[2] then return 1 end
    if version ~= ARGV[1] then return 0 end
    if ARGV[6] == '1' and redis.call('EXISTS', KEYS[7]) == 1 then return -1 end
    redis.call('HSET', KEYS[1], 'v', ARGV[2], 'x', ARGV[3])
    if ARGV[7] ~= '' then
      if redis.call('GET', KEYS[2]) == ARGV[4] then redis.call('DEL', KEYS[2]) end
      redis.call('SREM', KEYS[3], ARGV[4])
      local member = string.format('%016d', redis.call('INCR', KEYS[6])) .. ' ' .. ARGV[8] .. ' ' .. ARGV[4]
      redis.call('ZADD', KEYS[5], ARGV[7], member)
      redis.call('PEXPIRE', KEYS[1], ARGV[9])
      redis.call('PEXPIRE', KEYS[5], ARGV[9])
      if redis.call('ZCARD', KEYS[4]) == 1 then redis.call('PEXPIRE', KEYS[4], ARGV[9]) end
      for i = 8, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[9]) end
    end
    local first = redis.call('HGET', KEYS[1], 'a') or '-'
    redis.call('PUBLISH', ARGV[5], ARGV[4] .. ' ' .. ARGV[2] .. ' ' .. first .. ' ' .. ARGV[3])
    return 1`,

  /**
   * Notes a further Idempotency-Key of an execution.
   * Keys: execution, idempotencyKey. Arguments: version read, new version, JSON, handle, the handle
   * read under the key. Answers 1 for yes, 0 when something was changed.
   */
  taskAttach: `
    local version = redis.call('HGET', KEYS[1], 'v')
    if version == ARGV[2] then return 1 end
    if version ~= ARGV[1] then return 0 end
    if (redis.call('GET', KEYS[2]) or '') ~= ARGV[5] then return 0 end
    redis.call('HSET', KEYS[1], 'v', ARGV[2], 'x', ARGV[3])
    redis.call('SET', KEYS[2], ARGV[4])
    return 1`,

  /** Notes the first answer, once. Key: execution. Argument: the answer. */
  taskAnswered: `
    if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
    return redis.call('HSETNX', KEYS[1], 'a', ARGV[1])`,

  /**
   * Removes an ended execution. Uses no command that a full Redis refuses.
   * Keys: execution, ended, rawId, its idempotencyKeys. Arguments: version read, member, handle.
   * Answers 1 for yes, 0 when it was changed, -1 when it is not there.
   */
  taskDrop: `
    local version = redis.call('HGET', KEYS[1], 'v')
    if version and version ~= ARGV[1] then return 0 end
    redis.call('ZREM', KEYS[2], ARGV[2])
    if not version then return -1 end
    redis.call('DEL', KEYS[1])
    redis.call('ZREM', KEYS[3], ARGV[3])
    for i = 4, #KEYS do
      if redis.call('GET', KEYS[i]) == ARGV[3] then redis.call('DEL', KEYS[i]) end
    end
    return 1`,

  /** Renews a lease. Keys: lease, replicas. Arguments: replica, ms. Answers 1 if it was still there. */
  taskRenew: `
    local held = redis.call('EXISTS', KEYS[1])
    redis.call('SET', KEYS[1], '1', 'PX', ARGV[2])
    redis.call('SADD', KEYS[2], ARGV[1])
    return held`,

  /** Forgets a replica that has no lease and runs nothing. Keys: lease, replicas, runningOn. Argument: replica. */
  taskForget: `
    if redis.call('EXISTS', KEYS[1]) == 1 or redis.call('SCARD', KEYS[3]) > 0 then return 0 end
    return redis.call('SREM', KEYS[2], ARGV[1])`,

  /** Changes the note of a folder if it is as it was read. Key: folders. Arguments: folder, note read, new note. Answers 1 for yes. */
  taskFolderTake: `
    local note = redis.call('HGET', KEYS[1], ARGV[1])
    if note == ARGV[3] then return 1 end
    if note ~= ARGV[2] then return 0 end
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
    return 1`,

  /** Drops the note of a folder if it is this one. Key: folders. Arguments: folder, note. Answers 1 for yes. */
  taskFolderForget: `
    if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
    return redis.call('HDEL', KEYS[1], ARGV[1])`,
} as const;

/** A script as the client offers it: keys, then arguments. */
type Script = (keyCount: number, ...keysAndArguments: (string | number)[]) => Promise<number>;

/** The scripts as commands of a client. */
export type Scripts = { readonly [name in keyof typeof scripts]: Script };
