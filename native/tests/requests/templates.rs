//! The templates, by the pool whose keys their commands name most of the time.

type Commands = &'static [(&'static str, &'static str)];

/// All of them.
pub const ALL: &[(&str, Commands)] = &[
    ("string", STRINGS),
    ("hash", HASHES),
    ("list", LISTS),
    ("set", SETS),
    ("zset", SORTED_SETS),
    ("stream", STREAMS),
    ("geo", GEO),
    ("hll", HYPERLOGLOGS),
    ("any", KEYS),
];

const STRINGS: Commands = &[
    ("append", "<key> <text>"),
    (
        "bitfield",
        "<key> ({GET|SET|INCRBY} {u1|i8|u16|i63|u63|i64} {<bit>|#3} [<int>] [OVERFLOW {WRAP|SAT|FAIL}])+",
    ),
    ("bitop", "{AND|OR|XOR|NOT} <key> <key>+"),
    ("bitcount", "<key> [<index> <index> [BYTE|BIT]]"),
    ("bitpos", "<key> {0|1} [<index> [<index> [BYTE|BIT]]]"),
    ("decr", "<key>"),
    ("decrby", "<key> <int>"),
    ("get", "<key>"),
    ("getbit", "<key> <bit>"),
    ("getdel", "<key>"),
    (
        "getex",
        "<key> [PERSIST|EX <seconds>|PX <ms>|PXAT <at-ms>|EXAT <at-seconds>]",
    ),
    ("getrange", "<key> <index> <index>"),
    ("getset", "<key> <text>"),
    ("incr", "<key>"),
    ("incrby", "<key> <int>"),
    ("incrbyfloat", "<key> <float>"),
    ("lcs", "<key> <key> [LEN|IDX]"),
    ("mget", "<any>+"),
    ("mset", "(<key> <text>)+"),
    ("msetnx", "(<key> <text>)+"),
    ("psetex", "<key> <ms> <text>"),
    (
        "set",
        "<key> {<text>|<int>} [NX|XX] [GET] [EX <seconds>|PX <ms>|PXAT <at-ms>|EXAT <at-seconds>|KEEPTTL]",
    ),
    ("setbit", "<key> <bit> {0|1}"),
    ("setex", "<key> <seconds> <text>"),
    ("setnx", "<key> <text>"),
    ("setrange", "<key> <bit> <text>"),
    ("strlen", "<key>"),
];

const HASHES: Commands = &[
    ("hdel", "<key> <text>+"),
    ("hexpire", "<key> <seconds> [NX|XX|GT|LT] FIELDS <fields>"),
    ("hexpireat", "<key> <at-seconds> [NX|XX|GT|LT] FIELDS <fields>"),
    ("hexpiretime", "<key> FIELDS <fields>"),
    ("hget", "<key> <text>"),
    ("hgetall", "<key>"),
    ("hincrby", "<key> <text> <int>"),
    ("hincrbyfloat", "<key> <text> <float>"),
    ("hlen", "<key>"),
    ("hmset", "<key> (<text> <text>)+"),
    ("hpersist", "<key> FIELDS <fields>"),
    ("hpexpire", "<key> <ms> [NX|XX|GT|LT] FIELDS <fields>"),
    ("hpexpireat", "<key> <at-ms> [NX|XX|GT|LT] FIELDS <fields>"),
    ("hpttl", "<key> FIELDS <fields>"),
    ("hrandfield", "<key> [<index> [WITHVALUES]]"),
    ("hset", "<key> (<text> <text>)+"),
    ("hsetnx", "<key> <text> <text>"),
];

const LISTS: Commands = &[
    ("blmove", "<key> <key> {LEFT|RIGHT} {LEFT|RIGHT} 0.01"),
    ("blmpop", "0.01 <keys> {LEFT|RIGHT} [COUNT <count>]"),
    ("blpop", "<key>+ 0.01"),
    ("brpop", "<key>+ 0.01"),
    ("brpoplpush", "<key> <key> 0.01"),
    ("linsert", "<key> {BEFORE|AFTER} <text> <text>"),
    ("llen", "<key>"),
    ("lmove", "<key> <key> {LEFT|RIGHT} {LEFT|RIGHT}"),
    ("lmpop", "<keys> {LEFT|RIGHT} [COUNT <count>]"),
    ("lpop", "<key> [<count>]"),
    ("lpos", "<key> <text> [RANK <index>] [COUNT <count>]"),
    ("lpush", "<key> <text>+"),
    ("lpushx", "<key> <text>+"),
    ("lrange", "<key> <index> <index>"),
    ("lrem", "<key> <index> <text>"),
    ("lset", "<key> <index> <text>"),
    ("ltrim", "<key> <index> <index>"),
    ("rpop", "<key> [<count>]"),
    ("rpoplpush", "<key> <key>"),
    ("rpush", "<key> <text>+"),
    ("rpushx", "<key> <text>+"),
];

const SETS: Commands = &[
    ("sadd", "<key> {<text>+|<int>+|<count>+}"),
    ("scard", "<key>"),
    ("sdiff", "<key>+"),
    ("sdiffstore", "<key> <key>+"),
    ("sinter", "<key>+"),
    ("sinterstore", "<key> <key>+"),
    ("smembers", "<key>"),
    ("smove", "<key> <key> {<text>|<count>}"),
    ("spop", "<key> [{<count>|<many>}]"),
    ("srandmember", "<key> [<index>]"),
    ("srem", "<key> <text>+"),
    ("sunion", "<key>+"),
    ("sunionstore", "<key> <key>+"),
];

const SORTED_SETS: Commands = &[
    ("bzmpop", "0.01 <keys> {MIN|MAX} [COUNT <count>]"),
    ("bzpopmax", "<key>+ 0.01"),
    ("bzpopmin", "<key>+ 0.01"),
    ("zadd", "<key> [NX|XX] [GT|LT] [CH] (<float> <text>)+"),
    ("zdiffstore", "<key> <keys>"),
    ("zincrby", "<key> <float> <text>"),
    (
        "zinterstore",
        "<key> 2 <key> <key> [WEIGHTS <float> <float>] [AGGREGATE {SUM|MIN|MAX}]",
    ),
    ("zmpop", "<keys> {MIN|MAX} [COUNT <count>]"),
    ("zpopmax", "<key> [<count>]"),
    ("zpopmin", "<key> [<count>]"),
    ("zrandmember", "<key> [<index> [WITHSCORES]]"),
    ("zrange", "<key> <index> <index> [REV] [WITHSCORES]"),
    (
        "zrangestore",
        "<key> <key> {<index> <index>|<bound> <bound> BYSCORE|<lex> <lex> BYLEX} [REV] [LIMIT <count> <count>]",
    ),
    ("zrank", "<key> <text>"),
    ("zrem", "<key> <text>+"),
    ("zremrangebylex", "<key> <lex> <lex>"),
    ("zremrangebyrank", "<key> <index> <index>"),
    ("zremrangebyscore", "<key> <bound> <bound>"),
    ("zscore", "<key> <text>"),
    (
        "zunionstore",
        "<key> 2 {<key>|<any>} <key> [WEIGHTS <float> <float>] [AGGREGATE {SUM|MIN|MAX}]",
    ),
];

const STREAMS: Commands = &[
    ("xack", "<key> <group> <id> <id> <id> <id>+"),
    (
        "xadd",
        "<key> [NOMKSTREAM] [{MAXLEN|MINID} {<count>|= <count>|~ <count> LIMIT <count>}] {<new-id>|<new-id>|<new-id>|<new-id>|<id>|*} (<text> <text>)+",
    ),
    (
        "xautoclaim",
        "<key> <group> <consumer> <count> {0|<id>} [COUNT 2] [JUSTID]",
    ),
    (
        "xclaim",
        "<key> <group> <consumer> <count> <id>+ [IDLE <ms>] [RETRYCOUNT <count>] [FORCE] [JUSTID] [LASTID <id>]",
    ),
    ("xdel", "<key> <id>+"),
    (
        "xgroup",
        "{CREATE <key> <group> {0|$|<id>} {MKSTREAM|[ENTRIESREAD <count>]}|CREATE <key> <group> 0 MKSTREAM|CREATE <key> <group> 0 MKSTREAM|SETID <key> <group> {0|$|<id>}|CREATECONSUMER <key> <group> <consumer>|DELCONSUMER <key> <group> <consumer>}",
    ),
    (
        "xinfo",
        "{STREAM <key> FULL|GROUPS <key>|CONSUMERS <key> <group>}",
    ),
    ("xlen", "<key>"),
    ("xpending", "<key> <group> [- + <count>]"),
    ("xrange", "<key> - + [COUNT <count>]"),
    (
        "xreadgroup",
        "GROUP <group> <consumer> [COUNT <count>] {STREAMS|STREAMS|NOACK STREAMS} {<key> {>|>|>|<id>}|<key> <key> > >}",
    ),
    ("xsetid", "<key> <id> [ENTRIESADDED <count> MAXDELETEDID <id>]"),
    ("xtrim", "<key> {MAXLEN|MINID} [=|~] <count> [LIMIT <count>]"),
];

const GEO: Commands = &[
    ("geoadd", "<key> [NX|XX] [CH] (<longitude> <latitude> <text>)+"),
    (
        "georadius",
        "<key> <longitude> <latitude> 5000 km [ASC|DESC] [STORE <key>|STOREDIST <key>]",
    ),
    (
        "georadiusbymember",
        "<key> <text> 5000 km [ASC|DESC] [STORE <key>|STOREDIST <key>]",
    ),
    (
        "geosearch",
        "<key> FROMLONLAT <longitude> <latitude> BYRADIUS 9000 km ASC [COUNT 3]",
    ),
    (
        "geosearchstore",
        "<key> <key> FROMLONLAT <longitude> <latitude> {BYRADIUS 5000 km|BYBOX 9000 9000 km} [ASC|DESC] [COUNT 3] [STOREDIST]",
    ),
];

const HYPERLOGLOGS: Commands = &[
    ("pfadd", "<key> <text>+"),
    ("pfcount", "<key>+"),
    ("pfmerge", "<key> <key>+"),
];

const KEYS: Commands = &[
    ("copy", "<key> <key> [REPLACE]"),
    ("dbsize", ""),
    ("del", "<key>"),
    ("exists", "<key>+"),
    ("expire", "<key> <seconds> [NX|XX|GT|LT]"),
    ("expireat", "<key> <at-seconds> [NX|XX|GT|LT]"),
    ("flushall", "[SYNC|ASYNC]"),
    ("flushdb", "[SYNC|ASYNC]"),
    ("persist", "<key>"),
    ("pexpire", "<key> <ms> [NX|XX|GT|LT]"),
    ("pexpireat", "<key> <at-ms> [NX|XX|GT|LT]"),
    ("pttl", "<key>"),
    ("rename", "<key> <key>"),
    ("renamenx", "<key> <key>"),
    (
        "restore",
        "<key> {0 <payload>|<ms> <payload>|<at-ms> <payload> ABSTTL} [REPLACE]",
    ),
    (
        "sort",
        "<key> [BY {nosort|<pattern>}] [LIMIT <count> <count>] [GET #] [ASC|DESC] [ALPHA] [STORE <key>]",
    ),
    ("touch", "<key>+"),
    ("type", "<key>"),
    ("unlink", "<key>"),
];
