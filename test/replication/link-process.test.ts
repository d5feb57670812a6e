import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeFrame, FrameKind } from '../../src/replication/frame.js';
import type { LinkOptions, LinkPeer } from '../../src/replication/link.js';
import { makePeer, members, type Peer, until } from './links.js';

const script = fileURLToPath(new URL('peer-process.ts', import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function run(id: number, peers: readonly LinkPeer[]): ChildProcess {
  const args = ['--import', 'tsx', script, String(id), JSON.stringify(peers)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function withChild(options: Partial<LinkOptions> = {}): Promise<{ a: Peer; child: ChildProcess }> {
  const peers = await members(2);
  const a = makePeer(peers, 1, { secret: 's', ...options });
  await a.link.start();
  const child = run(2, peers);
  await until(() => a.link.isUp(2), 'up', 20_000);
  return { a, child };
}

describe('a link to another process', { timeout: 30_000 }, () => {
  it('goes down at once when the process is killed', async () => {
    const { a, child } = await withChild();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until(() => !a.link.isUp(2), 'down', 500);
  });

  it('refuses more than its limit while the process is stopped, and delivers all that it took when it goes on', async () => {
    const drained: string[] = [];
    const linkQueueBytesMax = 1_000_000;
    const { a, child } = await withChild({
      limits: { linkQueueBytesMax },
      onDrain: (_peer, connection) => drained.push(connection),
    });
    child.kill('SIGSTOP');
    const frame = encodeFrame(FrameKind.propose, 0, Buffer.alloc(50_000));
    let taken = 0;
    while (a.link.send(2, 'bulk', frame)) {
      taken += 1;
      await new Promise(setImmediate);
    }
    const { queuedBytes, dropped } = a.link.statistics().get(2) ?? {};
    expect(queuedBytes).toBeGreaterThan(linkQueueBytesMax - frame.length);
    expect(queuedBytes).toBeLessThanOrEqual(linkQueueBytesMax);
    expect(dropped).toBe(1);
    expect(drained).toEqual([]);
    child.kill('SIGCONT');
    await until(() => a.frames.length === taken, 'all answers', 10_000);
    expect(drained).toEqual(['bulk']);
    expect(a.link.send(2, 'bulk', frame)).toBe(true);
    expect(a.events).toEqual(['up 2']);
  });

  it('goes down when the process says nothing any more, and up when it speaks again', async () => {
    const { a, child } = await withChild({
      limits: { linkPingMs: 50, linkSilenceMs: 2_500, linkRetryMsMax: 50 },
    });
    child.kill('SIGSTOP');
    await until(() => !a.link.isUp(2), 'down');
    expect(a.link.statistics().get(2)?.lastError).toMatch(/^peer b.*(silent for|no handshake)/);
    child.kill('SIGCONT');
    await until(() => a.link.isUp(2), 'up');
  });

  it('leaves nothing behind that would keep its process alive', async () => {
    const { a, child } = await withChild();
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(output).not.toMatch(/TCP|Timeout|Immediate/);
    await until(() => !a.link.isUp(2), 'down', 500);
  });
});
