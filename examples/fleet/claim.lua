-- claim.lua - takes a partition that nobody holds: epoch, position and floor, or nil if somebody does
--
-- KEYS: meta, events
-- ARGV: worker, milliseconds that the lease lasts
--
-- A lease only decides when another may try; what keeps two owners apart is the epoch (commit.lua). A worker may claim its own
-- partition again: it has lost what it knew of it.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local meta = redis.call('HMGET', KEYS[1], 'owner', 'until', 'position', 'floor')
if meta[1] and meta[1] ~= '' and meta[1] ~= ARGV[1] and tonumber(meta[2]) > now then
    return false
end
if not meta[3] then
    meta[3], meta[4] = '0-0', '0-0'
    redis.pcall('XGROUP', 'CREATE', KEYS[2], 'fleet', '0-0', 'MKSTREAM')
    redis.call('HSET', KEYS[1], 'position', meta[3], 'floor', meta[4], 'done', 0)
end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'until', string.format('%.0f', now + ARGV[2]))
return { tostring(epoch), meta[3], meta[4] }
