-- release.lua - gives a partition back, so that another need not wait for the lease to end; nothing if it is lost already
--
-- KEYS: meta
-- ARGV: epoch
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then
    redis.call('HSET', KEYS[1], 'owner', '')
end
return 'OK'
