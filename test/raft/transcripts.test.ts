import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rewrite } from './transcript.js';

const FOLDER = join(import.meta.dirname, 'testdata');

/**
 * REWRITE=1 writes what came out into the files. Commit a rewritten file only if you can explain its difference.
 */
describe('transcripts', () => {
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.txt'))) {
    it(name, () => {
      const path = join(FOLDER, name);
      const text = readFileSync(path, 'utf8');
      const now = rewrite(text);
      if (process.env.REWRITE === '1') writeFileSync(path, now);
      else expect(now).toBe(text);
    });
  }
});
