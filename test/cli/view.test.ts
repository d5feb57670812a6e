import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { PeerView } from '../../src/cli/demo/cluster.js';
import { type DemoResult, resultTable } from '../../src/cli/demo/result.js';
import { TerminalView } from '../../src/cli/demo/terminal-view.js';
import { type Picture, PlainView, roleText } from '../../src/cli/demo/view.js';

function peer(name: 'a' | 'b' | 'c', roles: string[], state: PeerView['state'] = 'running'): PeerView {
  const shards = roles.map((role, shard) => {
    return { shard, role, leader: 'a', term: 4 + shard, commit: 1_000, applied: 999 };
  });
  return { name, pid: 4_711, state, shards };
}

const picture: Picture = {
  peers: [peer('a', ['leader']), peer('b', ['follower']), peer('c', ['follower'], 'killed')],
  acknowledged: 12_345,
  writesPerSecond: 6_789.4,
  writing: true,
  restore: undefined,
};

const result: DemoResult = {
  ...{ ok: true, rdb: 'demo.rdb', shards: 1, keysRestored: 22_245, restoreMs: 400, acknowledged: 50_000 },
  ...{ unknown: 12, refused: 0, writesPerSecond: 9_000, lost: 0, duplicated: 0, stray: 0, torn: 0 },
  ...{ killed: 'a', newLeader: 'b', term: 2, unavailableMs: 340, catchUpMs: 800, digestsEqual: true },
  ...{ digests: { a: 'one', b: 'one', c: 'one' }, examples: [] },
};

/** What a terminal of 100 columns would be sent, without colours and cursor movements. */
function onTerminal(show: (view: TerminalView) => void): string {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 40 });
  show(new TerminalView(stream as PassThrough & NodeJS.WriteStream, true));
  return stripVTControlCharacters(String(stream.read() ?? ''));
}

describe('picture on a terminal', () => {
  it('shows the peers and how fast writes are acknowledged', () => {
    const text = onTerminal((view) => view.draw(picture));
    expect(text).toMatch(/│ a +│ +4711 │ leader +│ +4 │ +1,000 │ +999 │/);
    expect(text).toMatch(/│ c +│ +4711 │ killed +│ +│ +│ +│/);
    expect(text).toContain('12,345 writes acknowledged, 6,789 per second');
  });

  it('shows a bar while the file is being restored', () => {
    const restore = { keys: 5_000, totalKeys: 20_000 };
    const text = onTerminal((view) => view.draw({ ...picture, writing: false, restore }));
    expect(text).toContain(`restoring ${'█'.repeat(10)}${'░'.repeat(30)} 25 %, 5,000 keys`);
  });

  it('keeps the picture below what is noted', () => {
    const text = onTerminal((view) => {
      view.draw(picture);
      view.note('killing a');
    });
    expect(text.lastIndexOf('12,345 writes')).toBeGreaterThan(text.indexOf('* killing a\n'));
  });
});

describe('plain lines', () => {
  it('say when something happened', () => {
    const lines: string[] = [];
    const view = new PlainView((line) => lines.push(line));
    view.note('killing a');
    view.draw(picture);
    expect(lines).toEqual([expect.stringMatching(/^ +0\.\d s {2}killing a$/)]);
  });
});

describe('role of a peer', () => {
  it('is that of its only shard, or which of several it leads', () => {
    expect(roleText(peer('a', ['candidate']))).toBe('candidate');
    expect(roleText(peer('a', ['leader', 'follower', 'leader']))).toBe('leader of 0 2');
    expect(roleText(peer('a', ['follower', 'follower']))).toBe('follower');
    expect(roleText(peer('a', [], 'starting'))).toBe('starting');
  });
});

describe('table of the result', () => {
  it('has everything that was promised', () => {
    const table = resultTable(result);
    for (const row of [
      /keys restored +│ +22,245 /,
      /writes acknowledged +│ +50,000 /,
      /lost +│ +0 /,
      /duplicated +│ +0 /,
      /unavailable +│ +340 ms /,
      /catch-up +│ +800 ms /,
      /digest of c +│ +one /,
    ]) {
      expect(table).toMatch(row);
    }
  });
});
