import { randomBytes } from 'node:crypto';
import type { Hello } from '../../src/replication/handshake.js';

/** What member `id` (1 = a, 2 = b, ...) says of itself, as a run of its own. */
export function helloOf(id: number, fields: Partial<Hello> = {}): Hello {
  return {
    clusterId: '0'.repeat(32),
    name: String.fromCharCode('a'.charCodeAt(0) + id - 1),
    memberId: id,
    incarnation: String(id).padStart(32, '0'),
    runId: randomBytes(16).toString('hex'),
    protocol: 1,
    shards: 1,
    peersDigest: 'peers',
    timersDigest: 'timers',
    limits: { hashMaxListpackEntries: 512 },
    ...fields,
  };
}
