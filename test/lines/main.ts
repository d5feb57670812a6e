/**
 * `npm run test:lines [-- LINE...]`: the API tests on every supported line of Node. Each line's `node` comes from the npm
 * package that carries it, into a folder of its own that is removed afterwards.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LINES = ['22', '24', '26'];
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' }).status === 0;
}

/** Installs the line's `node` below `folder` and gives its path. */
function install(line: string, folder: string): string | undefined {
  const name = `node-${process.platform}-${process.arch}`;
  const flags = [
    '--prefix',
    folder,
    '--no-save',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
  ];
  if (!run('npm', ['install', ...flags, `${name}@${line}`])) return undefined;
  return join(folder, 'node_modules', name, 'bin', 'node');
}

function testOn(line: string): boolean {
  const folder = mkdtempSync(join(tmpdir(), `holdfast-node-${line}-`));
  try {
    const node = install(line, folder);
    if (node === undefined) {
      console.error(`Node ${line} could not be fetched from the npm registry`);
      return false;
    }
    run(node, ['--version']);
    return run(node, ['node_modules/vitest/vitest.mjs', 'run', 'test/api']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const asked = process.argv.slice(2);
const outcomes = (asked.length > 0 ? asked : LINES).map((line) => ({ line, passed: testOn(line) }));
for (const { line, passed } of outcomes) console.log(`Node ${line}: ${passed ? 'passed' : 'failed'}`);
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;
