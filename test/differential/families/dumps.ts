import type { Vocabulary } from '../vocabulary.js';
import { type Family, isRefusal, nameOf } from './family.js';

/** One of each type, as redis-server 7.0 dumps it. */
const PAYLOADS = [
  'AAVoZWxsbwoAY3LfdmU0IAo=',
  'AME5MAoAnZTqJ5P8CLk=',
  'EgECDw8AAAADAIFhAgEBgWIC/woAkEOjTOuOGxw=',
  'Cw4CAAAAAwAAAAEAAgADAAoApQJc4m1uTRs=',
  'AgIBeQF4CgAM32s9szC88A==',
  'ERQUAAAABACBYQIBAYFiAoMyLjUE/woA1ExupPZE2dc=',
  'EBISAAAABACBZgKBdgKBbgIBAf8KAPzkCPF5IuAW',
].map((text) => Buffer.from(text, 'base64'));

/** Sound mostly; sometimes with a byte changed, which the checksum tells, or cut. */
function payload(w: Vocabulary): Buffer {
  const bytes = Buffer.from(w.pick(...PAYLOADS));
  if (w.random.once(10)) bytes.writeUInt8(w.random.below(256), w.random.below(bytes.length));
  return w.random.once(15) ? bytes.subarray(0, w.random.below(bytes.length)) : bytes;
}

const options = (w: Vocabulary): string[] => [
  ...w.maybe('REPLACE'),
  ...w.maybe(w.pick('IDLETIME', 'FREQ', 'idletime'), w.pick('0', '1', '100', '255', '256', '-1', 'x')),
];

const BAD_LIVES = ['-1', 'x', '1.5', '9223372036854775808', '-9223372036854775808'];

/** DUMP and RESTORE. What a dump holds is not compared: the order inside tables differs. */
export const dumps: Family = {
  name: 'dumps',
  rows: [
    // The longest life of all is refused here and has ended in Redis, which leaves other keys behind.
    {
      fixed: true,
      make: (w) => ['RESTORE', w.key(), w.pick('0', '1000000', ...BAD_LIVES), payload(w), ...options(w)],
    },
    (w) => ['RESTORE', w.key(), w.pick('0', '-1')],
    // Without its last word the time would be one to come, and soon.
    {
      fixed: true,
      make: (w) => [
        'RESTORE',
        w.key(),
        w.pick('4102444800000', '1', '0'),
        payload(w),
        'ABSTTL',
        ...options(w),
      ],
    },
    (w) => ['DUMP', w.key()],
    (w) => ['COPY', w.key(), w.key(), ...w.maybe('REPLACE'), ...w.maybe('DB', w.pick('0', '-1', 'x'))],
    (w) => ['OBJECT', w.pick('ENCODING', 'encoding', 'REFCOUNTS'), w.key()],
  ],
  meant: [
    {
      reason: 'a time to live that reaches beyond the end of time is refused here, and goes around in Redis',
      applies: (request, _redis, ours) =>
        nameOf(request) === 'RESTORE' && String(request[2]) === '9223372036854775807' && isRefusal(ours),
    },
  ],
  replies: { DUMP: (reply) => (typeof reply === 'string' ? 'a payload' : reply) },
};
