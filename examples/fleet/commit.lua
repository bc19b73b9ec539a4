-- commit.lua - one commit of one partition: states, outputs, dead letters and the acknowledgement, all or nothing
--
-- KEYS: meta, events, outputs, states, dead
-- ARGV: epoch, from, to, floor, until (milliseconds that the lease goes on), trim (0 or 1), n (events in it), records,
--       n_states, then stream and stored state of each, n_dead, then id, stream, input and reason of each
--
-- The partition's meta says who owns it (epoch: it grows with every new owner) and how far it is (position: the last event
-- whose output is out). A worker whose epoch is not the latest has lost the partition, however sure it is of the opposite; one
-- that does not begin where the partition is has missed something. Both are refused before anything is written. Redis runs
-- nothing between the lines of a script, and its append-only file takes what a script wrote as one piece.
--
-- floor: every event up to it is in a stored state. The next owner reads on from there, without a second output for what is
-- not after position. What lies at or below it can be trimmed from the log.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'position')
if meta[1] ~= ARGV[1] then
    return redis.error_reply('STALE epoch ' .. ARGV[1] .. ' is not the latest, ' .. tostring(meta[1]))
end
if meta[2] ~= ARGV[2] then
    return redis.error_reply('MOVED the partition is at ' .. tostring(meta[2]) .. ', not at ' .. ARGV[2])
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'position', ARGV[3], 'floor', ARGV[4], 'until', string.format('%.0f', now + ARGV[5]))
if ARGV[7] ~= '0' then
    redis.call('HINCRBY', KEYS[1], 'done', ARGV[7])
end
if #ARGV[8] > 0 then
    redis.call('XADD', KEYS[3], '*', 'rows', ARGV[8])
end
local i = 10
for _ = 1, ARGV[9] do
    redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1])
    i = i + 2
end
local n_dead = ARGV[i]
i = i + 1
for _ = 1, n_dead do
    redis.call('XADD', KEYS[5], '*', 'id', ARGV[i], 's', ARGV[i + 1], 'x', ARGV[i + 2], 'reason', ARGV[i + 3])
    i = i + 4
end
if ARGV[3] ~= ARGV[2] then
    redis.call('XGROUP', 'SETID', KEYS[2], 'fleet', ARGV[3])
end
if ARGV[6] == '1' then
    redis.call('XTRIM', KEYS[2], 'MINID', '~', ARGV[4])
end
return 'OK'
