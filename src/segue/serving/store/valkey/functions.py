"""What Valkey does by itself, so that nothing comes between a check and a write: functions in its own Lua."""

from __future__ import annotations

from hashlib import sha256

_CODE = r"""
local SECONDS = 86400  -- so long the last call of a writer is known
local PART = 500  -- so many events are read or written at once

local function seq_of(user)
  return tonumber(redis.call('HGET', user, 'seq') or '0')
end

local function member_of(version, user_id)
  return version .. '\0' .. user_id
end

-- keys: writer, and those of the work; args: the number of the call, and those of the work
-- Where the last call comes again, its answer being lost, that answer is given and nothing is done.
local function once(work)
  return function(keys, args)
    local last = redis.call('GET', keys[1])
    if last then
      local number, answer = string.match(last, '^(%d+) (%d+)$')
      if number == args[1] then return tonumber(answer) end
      if tonumber(args[1]) < tonumber(number) then
        return redis.error_reply('ERR a later call of this writer is done')
      end
    end
    local answer = work(keys, args)
    redis.call('SET', keys[1], args[1] .. ' ' .. string.format('%.0f', answer), 'EX', SECONDS)
    return answer
  end
end

-- keys: writer, counts; and for each change: user, events, ids, users, states
-- args: number; and for each change: user id, bucket, seq before, seq after, version, memory, n;
--       and for each of its n events: event id or '', body, which begins with time, NUL, event id or nothing, NUL
-- 1: all is stored; 0: somebody was first, and nothing is
local function commit(keys, args)
  local counts, length = keys[2], #args
  local a, k = 2, 3
  while a <= length do
    if seq_of(keys[k]) ~= tonumber(args[a + 2]) then return 0 end
    local after = a + 7 + 2 * tonumber(args[a + 6])
    for e = a + 7, after - 1, 2 do
      if args[e] ~= '' and redis.call('HEXISTS', keys[k + 2], args[e]) == 1 then return 0 end
    end
    a, k = after, k + 5
  end
  a, k = 2, 3
  while a <= length do
    local user, events, ids, users, states = keys[k], keys[k + 1], keys[k + 2], keys[k + 3], keys[k + 4]
    local user_id, version, n, seq = args[a], args[a + 4], tonumber(args[a + 6]), tonumber(args[a + 2])
    local after = a + 7 + 2 * n
    for e = a + 7, after - 1, 2 do
      seq = seq + 1
      redis.call('RPUSH', events, args[e + 1])
      if args[e] ~= '' then redis.call('HSET', ids, args[e], string.format('%.0f', seq)) end
    end
    local before = redis.call('HGET', user, 'version')
    if before ~= version then
      if before then redis.call('ZREM', states, member_of(before, user_id)) end
      redis.call('ZADD', states, 0, member_of(version, user_id))
    end
    redis.call('HSET', user, 'seq', args[a + 3], 'version', version, 'memory', args[a + 5])
    redis.call('ZADD', users, 0, user_id)
    if n > 0 then redis.call('HINCRBY', counts, args[a + 1], n) end
    a, k = after, k + 5
  end
  return 1
end

-- keys: writer, counts, user, events, ids, users, states; args: number, user id, bucket; how many events went
local function forget(keys, args)
  local user, events, user_id = keys[3], keys[4], args[2]
  local gone = redis.call('LLEN', events)
  local version = redis.call('HGET', user, 'version')
  if version then redis.call('ZREM', keys[7], member_of(version, user_id)) end
  redis.call('DEL', user, events, keys[5])
  redis.call('ZREM', keys[6], user_id)
  if gone > 0 then redis.call('HINCRBY', keys[2], args[3], -gone) end
  return gone
end

-- the same, and a time: events before it go, and with the last of them the user
local function trim(keys, args)
  local events, ids, before = keys[4], keys[5], tonumber(args[4])
  local gone, kept = 0, {}
  for first = 0, redis.call('LLEN', events) - 1, PART do
    for _, body in ipairs(redis.call('LRANGE', events, first, first + PART - 1)) do
      local time, event_id = string.match(body, '^([^%z]*)%z([^%z]*)%z')
      if tonumber(time) < before then
        gone = gone + 1
        if event_id ~= '' then redis.call('HDEL', ids, event_id) end
      else
        kept[#kept + 1] = body
      end
    end
  end
  if gone > 0 then
    redis.call('HINCRBY', keys[2], args[3], -gone)
    redis.call('DEL', events)
    for first = 1, #kept, PART do
      redis.call('RPUSH', events, unpack(kept, first, math.min(first + PART - 1, #kept)))
    end
  end
  if redis.call('EXISTS', keys[3]) == 1 and #kept == 0 then forget(keys, args) end
  return gone
end
"""

_REGISTERED = """
redis.register_function('LIBRARY_commit', once(commit))
-- these make room, and so may run where there is none
redis.register_function{function_name='LIBRARY_forget', callback=once(forget), flags={'allow-oom'}}
redis.register_function{function_name='LIBRARY_trim', callback=once(trim), flags={'allow-oom'}}
"""

LIBRARY = f"segue_{sha256((_CODE + _REGISTERED).encode()).hexdigest()[:12]}"
"""Named by what is in it: replicas of two versions of segue do not call each other's."""

COMMIT, FORGET, TRIM = (f"{LIBRARY}_{name}" for name in ("commit", "forget", "trim"))

CODE = f"#!lua name={LIBRARY}\n{_CODE}{_REGISTERED.replace('LIBRARY', LIBRARY)}"
"""The library as FUNCTION LOAD takes it."""
