/** What a program hears that has not installed the Redis client. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Temporary } from '../rdb/temporary.js';
import { writeSample } from './files.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { dependencies, peerDependenciesMeta } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
  dependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
};

const temporary = new Temporary();
const copy = temporary.path('holdfast');
beforeAll(async () => {
  await writeSample(temporary.path('sample.rdb'), 10);
  mkdirSync(`${copy}/node_modules`, { recursive: true });
  for (const name of ['package.json', 'dist']) cpSync(ROOT + name, `${copy}/${name}`, { recursive: true });
  symlinkSync(`${ROOT}build`, `${copy}/build`);
  for (const name of Object.keys(dependencies)) {
    mkdirSync(`${copy}/node_modules/${name}`.replace(/\/[^/]+$/, ''), { recursive: true });
    symlinkSync(`${ROOT}node_modules/${name}`, `${copy}/node_modules/${name}`);
  }
});
afterAll(() => temporary[Symbol.dispose]());

const rdb = (...args: string[]) =>
  spawnSync(process.execPath, [`${copy}/dist/cli/main.js`, 'rdb', ...args], { encoding: 'utf8' });

it('is asked for the package by its name, and only where it is needed', () => {
  expect(peerDependenciesMeta).toEqual({ ioredis: { optional: true } });
  const { status, stderr } = rdb('restore', temporary.path('sample.rdb'), '--to', 'redis://localhost:1');
  const text = 'restoring to Redis needs the package ioredis, which is not installed: npm install ioredis';
  expect({ status, stderr }).toEqual({ status: 1, stderr: `holdfast: NEEDS_PACKAGE: ${text}\n` });
  expect(rdb('backup', temporary.path('x.rdb'), '--from', 'redis://localhost:1').stderr).toMatch(
    /ECONNREFUSED/,
  );
  expect(rdb('check', temporary.path('sample.rdb')).status).toBe(0);
});
