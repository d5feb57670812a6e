import { describe, expect, it } from 'vitest';
import { encodeFrame, type Frame, FrameDecoder, FrameKind, noShard } from '../../src/replication/frame.js';
import { type ConnectionRole, Handshake } from '../../src/replication/handshake.js';
import { encodeJson } from '../../src/replication/json-body.js';
import { helloOf } from './hello.js';

function frameOf(bytes: Buffer | undefined): Frame {
  const frames: Frame[] = [];
  new FrameDecoder('peer', 1 << 16).push(bytes ?? Buffer.alloc(0), (frame) => frames.push(frame));
  return frames[0] as Frame;
}

const dialer = (secret: string | undefined, dial: ConnectionRole = 'control') =>
  new Handshake({ secret, hello: helloOf(1), dial });
const acceptor = (secret: string | undefined) =>
  new Handshake({ secret, hello: helloOf(2), dial: undefined });

describe('handshake', () => {
  it.each([['s3cret'], [undefined]])('between equal secrets (%s) proves both sides', (secret) => {
    const [a, b] = [dialer(secret, 'bulk'), acceptor(secret)];
    const first = b.receive(frameOf(a.start()));
    const second = a.receive(frameOf(first.reply));
    const third = b.receive(frameOf(second.reply));
    const fourth = a.receive(frameOf(third.reply));
    expect(third.proved).toMatchObject({ role: 'bulk', hello: { name: 'a' } });
    expect(fourth.proved).toMatchObject({ role: 'bulk', hello: { name: 'b' } });
    expect(fourth.reply).toBeUndefined();
  });

  it('between different secrets ends before the acceptor says anything about its own', () => {
    const [a, b] = [dialer('one'), acceptor('two')];
    const second = a.receive(frameOf(b.receive(frameOf(a.start())).reply));
    expect(() => b.receive(frameOf(second.reply))).toThrow(
      expect.objectContaining({ code: 'FOREIGN', message: 'the secret differs' }),
    );
  });

  it('says which side lacks a secret', () => {
    const [a, b] = [dialer(undefined), acceptor('two')];
    expect(() => b.receive(frameOf(a.start()))).toThrow(/^b has a secret, a has none$/);
  });

  it('refuses a proof that is replayed, reflected, or made for another role', () => {
    const proofs: Frame[] = [];
    for (const role of ['control', 'bulk'] as const) {
      const [a, b] = [dialer('s', role), acceptor('s')];
      const proof = frameOf(a.receive(frameOf(b.receive(frameOf(a.start())).reply)).reply);
      proofs.push(proof);
      const other = acceptor('s');
      other.receive(frameOf(dialer('s', role).start()));
      expect(() => other.receive(proof)).toThrow(/secret differs/);
    }
    const c = dialer('s');
    const own = frameOf(c.receive(frameOf(acceptor('s').receive(frameOf(c.start())).reply)).reply);
    expect(() => c.receive(own)).toThrow(/secret differs/);
  });

  it('refuses changes on the way to anything in a hello', () => {
    const [a, b] = [dialer('s'), acceptor('s')];
    const hello = frameOf(a.start());
    const changed = JSON.parse(hello.body.toString());
    changed.hello.clusterId = 'f'.repeat(32);
    const body = Buffer.from(JSON.stringify(changed));
    const answer = b.receive({ ...hello, body });
    const proof = a.receive(frameOf(answer.reply));
    expect(() => b.receive(frameOf(proof.reply))).toThrow(/secret differs/);
  });

  it.each([
    ['no hello', encodeFrame(FrameKind.beats, noShard, Buffer.alloc(2)), /in place of a hello/],
    ['no JSON', encodeFrame(FrameKind.hello, noShard, Buffer.from('{')), /not JSON/],
    ['null', encodeJson(FrameKind.hello, null), /no object/],
    ['no role', encodeJson(FrameKind.hello, { role: 'root' }), /without a known role/],
    ['no nonce', encodeJson(FrameKind.hello, { role: 'bulk', secret: true, nonce: 'ff' }), /without a nonce/],
    [
      'a member id below 0',
      encodeJson(FrameKind.hello, {
        role: 'bulk',
        secret: true,
        nonce: '0'.repeat(64),
        hello: helloOf(1, { memberId: -1 }),
      }),
      /memberId is no number/,
    ],
  ])('refuses %s', (_what, bytes, reason) => {
    expect(() => acceptor('s').receive(frameOf(bytes))).toThrow(
      expect.objectContaining({ code: 'PROTOCOL', message: expect.stringMatching(reason) }),
    );
  });

  it('hands on the reason of a refusal', () => {
    const a = dialer('s');
    a.start();
    const bye = encodeJson(FrameKind.bye, { code: 'FOREIGN', message: 'another cluster' });
    expect(() => a.receive(frameOf(bye))).toThrow(
      expect.objectContaining({ code: 'FOREIGN', message: 'refuses this peer: another cluster' }),
    );
  });
});
