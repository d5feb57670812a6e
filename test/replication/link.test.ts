import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Beat } from '../../src/raft/types.js';
import { encodeFrame, FrameKind, noShard } from '../../src/replication/frame.js';
import type { Link } from '../../src/replication/link.js';
import { decodeBeatReplies, decodeBeats } from '../../src/replication/message-codec.js';
import { protocolError } from '../../src/replication/protocol-error.js';
import { connectClient } from '../../src/replication/status-client.js';
import { helloOf } from './hello.js';
import { makeCluster, makePeer, members, type Peer, until } from './links.js';

const propose = (body: string): Buffer => encodeFrame(FrameKind.propose, 0, Buffer.from(body));
const beat = (from: number, to: number, term: number): Beat => ({
  type: 'beat',
  from,
  to,
  term,
  commit: 0,
  sentAt: 1,
  readRound: 0,
  leased: false,
  echoAt: 0,
});

async function pairOf(...peers: readonly Peer[]): Promise<void> {
  await Promise.all(peers.map(({ link }) => link.start()));
}

describe('link', () => {
  it('connects three peers and carries frames in order on both connections', async () => {
    const cluster = await makeCluster(3);
    for (const [i, { link }] of cluster.entries()) {
      for (let to = 1; to <= 3; to += 1) {
        if (to === i + 1) continue;
        for (let n = 0; n < 100; n += 1) {
          expect(link.send(to, n % 2 === 0 ? 'bulk' : 'control', propose(`${n}`))).toBe(true);
        }
      }
    }
    await until(() => cluster.every(({ frames }) => frames.length === 200));
    for (const { frames, events } of cluster) {
      for (const from of new Set(frames.map((frame) => frame.from))) {
        const numbers = frames.filter((frame) => frame.from === from).map(({ frame }) => Number(frame.body));
        const even = numbers.filter((n) => n % 2 === 0);
        expect(even).toEqual(even.toSorted((a, b) => a - b));
        expect(numbers).toHaveLength(100);
      }
      expect(events.toSorted()).toEqual(events.filter((event) => event.startsWith('up')).toSorted());
    }
    const statistics = cluster[0]?.link.statistics().get(2);
    expect(statistics).toMatchObject({ up: true, reconnects: 0, dropped: 0 });
    expect(statistics?.framesSent).toBeGreaterThanOrEqual(100);
  });

  it('carries a frame of several megabytes', async () => {
    const [a, b] = (await makeCluster(2)) as [Peer, Peer];
    const body = Buffer.alloc(9_000_000, 'x');
    expect(a.link.send(2, 'bulk', encodeFrame(FrameKind.propose, 5, body))).toBe(true);
    await until(() => b.frames.length === 1);
    expect(b.frames[0]?.frame.shard).toBe(5);
    expect(b.frames[0]?.frame.body.equals(body)).toBe(true);
  });

  it('sends all beats of a turn in one frame, the newest of each shard', async () => {
    const [a, b] = (await makeCluster(2)) as [Peer, Peer];
    for (let term = 1; term <= 3; term += 1) {
      for (let shard = 0; shard < 8; shard += 1) a.link.sendBeat(shard, beat(1, 2, term));
    }
    a.link.sendBeat(4, { type: 'beatReply', from: 1, to: 2, term: 9, sentAt: 1, readRound: 0, repliedAt: 2 });
    await until(() => b.frames.length === 2);
    const [beats, replies] = b.frames.map(({ frame }) => frame);
    expect(beats?.kind).toBe(FrameKind.beats);
    const carried = decodeBeats(beats?.body ?? Buffer.alloc(0)).map(({ shard, message }) => [
      shard,
      message.term,
    ]);
    expect(carried).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((shard) => [shard, 3]));
    expect(decodeBeatReplies(replies?.body ?? Buffer.alloc(0))).toHaveLength(1);
    expect(a.link.statistics().get(2)?.beatsReplaced).toBe(16);
    await sleep(20);
    expect(b.frames).toHaveLength(2);
  });

  it('notices at once that the other process is gone, and connects again when it is back', async () => {
    const peers = await members(2);
    const a = makePeer(peers, 1);
    const b = makePeer(peers, 2);
    await pairOf(a, b);
    await until(() => a.link.isUp(2));
    await b.link.close();
    await until(() => !a.link.isUp(2), 'down', 500);
    expect(a.link.send(2, 'bulk', propose('x'))).toBe(false);
    const again = makePeer(peers, 2);
    await again.link.start();
    await until(() => a.link.isUp(2) && again.link.isUp(1));
    expect(a.events).toEqual(['up 2', 'down 2', 'up 2']);
    expect(a.link.statistics().get(2)).toMatchObject({ reconnects: 1, dropped: 1 });
  });

  it('waits for a peer that starts later', async () => {
    const peers = await members(2);
    const a = makePeer(peers, 1);
    await a.link.start();
    await sleep(60);
    expect(a.link.statistics().get(2)?.lastError).toMatch(/^peer b at .*ECONNREFUSED/);
    const b = makePeer(peers, 2);
    await b.link.start();
    await until(() => a.link.isUp(2) && b.link.isUp(1));
    expect(a.refused).toEqual([]);
  });

  it('connects over IPv6 and names', async () => {
    const peers = (await members(2)).map((peer) => ({
      ...peer,
      address: peer.address.replace('127.0.0.1', peer.id === 1 ? 'localhost' : '[::1]'),
    }));
    const [a, b] = [makePeer(peers, 1), makePeer(peers, 2)];
    await pairOf(a, b);
    await until(() => a.link.isUp(2) && b.link.isUp(1));
  });
});

describe('link refuses', () => {
  it('a peer with another secret, on both sides by name, and tries again slowly', async () => {
    const peers = await members(2);
    const a = makePeer(peers, 1, { secret: 'one' });
    const b = makePeer(peers, 2, { secret: 'two' });
    await pairOf(a, b);
    await until(() => a.refused.length >= 2 && b.refused.length >= 2);
    expect(a.refused[0]).toMatchObject({
      peer: 2,
      error: { code: 'FOREIGN', message: 'peer b refuses this peer: the secret differs' },
    });
    expect(b.refused[0]).toMatchObject({
      peer: 1,
      error: { code: 'FOREIGN', message: 'peer a: the secret differs' },
    });
    expect([...a.events, ...b.events]).toEqual([]);
  });

  it('a peer without a secret', async () => {
    const peers = await members(2);
    const a = makePeer(peers, 1);
    const b = makePeer(peers, 2, { secret: 'two' });
    await pairOf(a, b);
    await until(() => a.refused.length > 0 && b.refused.length > 0);
    expect(a.refused[0]?.error.message).toMatch(
      /^peer b at .* refuses this peer: b has a secret, a has none$/,
    );
  });

  it('whom its owner does not want, and takes it when the owner changes its mind', async () => {
    const peers = await members(2);
    let foreign = true;
    const b = makePeer(peers, 2, {
      judge: ({ clusterId }) =>
        foreign ? { code: 'FOREIGN', message: `cluster ${clusterId.slice(0, 4)}` } : undefined,
    });
    const a = makePeer(peers, 1, { hello: () => helloOf(1, { clusterId: 'abcd'.repeat(8) }) });
    await pairOf(a, b);
    await until(() => a.refused.length > 0);
    expect(a.refused[0]?.error.message).toBe('peer b refuses this peer: cluster abcd');
    expect(b.refused[0]?.error.message).toBe('peer a: cluster abcd');
    foreign = false;
    await until(() => a.link.isUp(2) && b.link.isUp(1));
  });

  it('a process that answers under another name or is not in the list', async () => {
    const peers = await members(3);
    const swapped = peers.map((peer) => ({ ...peer, address: peers[peer.id === 2 ? 2 : 1]?.address ?? '' }));
    const a = makePeer(swapped, 1, { listen: '127.0.0.1:0' });
    const c = makePeer(peers, 3);
    await pairOf(a, c);
    await until(() => a.refused.length > 0);
    expect(a.refused[0]?.error.message).toMatch(/is c \(member 3\); member 2 is b here/);
    const d = makePeer([...peers, { id: 4, name: 'd', address: '127.0.0.1:1' }], 4, {
      listen: '127.0.0.1:0',
    });
    await d.link.start();
    const known = makePeer([...peers, { id: 4, name: 'd', address: `127.0.0.1:${d.link.address.port}` }], 2);
    await known.link.start();
    await until(() => d.link.isUp(2));
    const stranger = makePeer(
      [...peers, { id: 4, name: 'e', address: `127.0.0.1:${d.link.address.port}` }].map((peer) => ({
        ...peer,
      })),
      1,
      { listen: '127.0.0.1:0' },
    );
    await stranger.link.start();
    await until(() => stranger.refused.length > 0);
    expect(
      stranger.refused.some(({ error }) => /is d \(member 4\); member 4 is e here/.test(error.message)),
    ).toBe(true);
  });

  it('an older run of a process when a newer one has been seen', async () => {
    const peers = await members(2);
    const b = makePeer(peers, 2);
    const old = makePeer(peers, 1);
    await pairOf(old, b);
    await until(() => b.link.isUp(1));
    const newer = makePeer(peers, 1, { listen: '127.0.0.1:0' });
    await newer.link.start();
    await until(() => newer.link.isUp(2));
    await until(() => old.refused.length > 0);
    expect(old.refused[0]?.error.message).toMatch(/a newer process of peer a/);
    expect(newer.link.isUp(2)).toBe(true);
  });

  it('to listen on a port that is in use, and says which', async () => {
    const peers = await members(2);
    const first = makePeer(peers, 1);
    await first.link.start();
    const second = makePeer(peers, 1);
    await expect(second.link.start()).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining(`cannot listen on ${peers[0]?.address}`),
    });
  });

  it('options that make no sense', async () => {
    const peers = await members(2);
    expect(() => makePeer(peers, 3)).toThrow(/member 3 is not in the list/);
    expect(() => makePeer([{ id: 1, name: 'a', address: 'nowhere' }], 1)).toThrow(TypeError);
  });
});

describe('link survives', () => {
  async function speak(address: string, ...pieces: Uint8Array[]): Promise<void> {
    const port = Number(address.split(':')[1]);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.on('close', resolve));
    for (const piece of pieces) {
      socket.write(piece);
      await sleep(2);
    }
    await closed;
  }

  it('garbage, half frames, oversize frames and silence on its port, and says where they came from', async () => {
    const peers = await members(2);
    const a = makePeer(peers, 1, { limits: { linkHandshakeMs: 80 } });
    const b = makePeer(peers, 2);
    await pairOf(a, b);
    await until(() => a.link.isUp(2));
    const address = peers[0]?.address ?? '';
    const hello = encodeFrame(FrameKind.hello, noShard, Buffer.from('{"role":"bulk"'));
    const oversize = Buffer.alloc(12, 0xff);
    await Promise.all([
      speak(address, Buffer.from('GET / HTTP/1.1\r\n\r\n')),
      speak(address, Buffer.from('*1\r\n$4\r\nPING\r\n')),
      speak(address, oversize),
      speak(address, hello),
      speak(address, encodeFrame(FrameKind.beats, 0, Buffer.alloc(3))),
      speak(address, hello.subarray(0, 7)),
      speak(address),
    ]);
    expect(a.refused).toHaveLength(5);
    for (const { peer, error } of a.refused) {
      expect(peer).toBeUndefined();
      expect(error.code).toBe('PROTOCOL');
      expect(error.message).toMatch(/^127\.0\.0\.1:\d+: /);
    }
    expect(a.events).toEqual(['up 2']);
  });

  it('more strangers than it has room for', async () => {
    const peers = await members(2);
    const a = makePeer(peers, 1, { limits: { linkHandshakesMax: 4, linkHandshakeMs: 100 } });
    await a.link.start();
    await Promise.all(Array.from({ length: 20 }, () => speak(peers[0]?.address ?? '')));
    const b = makePeer(peers, 2);
    await b.link.start();
    await until(() => a.link.isUp(2));
  });

  it('nonsense of a known peer: the pair goes down and comes up again', async () => {
    const peers = await members(2);
    const a = makePeer(peers, 1);
    const b = makePeer(peers, 2, {
      onFrame: () => {
        throw protocolError('entry 3 follows entry 1');
      },
    });
    await pairOf(a, b);
    await until(() => a.link.isUp(2));
    a.link.send(2, 'bulk', propose('x'));
    await until(() => a.events.length === 3 && b.events.length === 3);
    expect(b.refused).toMatchObject([{ peer: 1, error: { message: 'peer a: entry 3 follows entry 1' } }]);
    expect(b.events).toEqual(['up 1', 'down 1', 'up 1']);
  });
});

describe('status client', () => {
  it('asks, and may do nothing else', async () => {
    const peers = await members(1);
    const a = makePeer(peers, 1, {
      secret: 's',
      status: (request) => {
        if (request === 'fail') throw new Error('no status');
        return { request, term: 4 };
      },
    });
    await a.link.start();
    const client = await connectClient(peers[0]?.address ?? '', 's');
    expect(client.hello.name).toBe('a');
    expect(await client.status({ shard: 1 })).toEqual({ request: { shard: 1 }, term: 4 });
    await expect(client.status('fail')).rejects.toMatchObject({
      message: expect.stringMatching(/peer a at .*no status/),
    });
    expect(await client.status()).toEqual({ request: null, term: 4 });
    await client.close();
    await client.close();
    await expect(client.status()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('is told that the secret differs, that nobody listens, that the peer went away', async () => {
    const peers = await members(1);
    const address = peers[0]?.address ?? '';
    await expect(connectClient(address)).rejects.toMatchObject({ code: 'IO' });
    const a = makePeer(peers, 1, { secret: 's', status: () => new Promise(() => {}) });
    await a.link.start();
    await expect(connectClient(address, 'other')).rejects.toMatchObject({
      code: 'FOREIGN',
      message: 'peer a refuses this peer: the secret differs',
    });
    await expect(connectClient('nonsense')).rejects.toThrow(TypeError);
    const client = await connectClient(address, 's');
    const answer = client.status();
    await expect(client.status()).rejects.toMatchObject({ code: 'BUSY' });
    const lost = expect(answer).rejects.toMatchObject({ code: 'IO' });
    await a.link.close();
    await lost;
  });
});

describe('close', () => {
  it('is idempotent, ends what is under way, and forbids a start', async () => {
    const cluster = await makeCluster(3);
    const [a, b, c] = cluster as [Peer, Peer, Peer];
    const closing = a.link.close();
    expect(a.link.close()).toBe(closing);
    await closing;
    await until(() => !b.link.isUp(1) && !c.link.isUp(1), 'down', 500);
    await expect(a.link.start()).rejects.toMatchObject({ code: 'CLOSED' });
    expect(b.link.isUp(3)).toBe(true);
    const never: Link = makePeer(await members(2), 1).link;
    await never.close();
  });
});
