// Builds the addon into build/. Run by `npm ci` through the package's own `prepare`.
import { spawnSync } from 'node:child_process';
import { delimiter, resolve } from 'node:path';

if (spawnSync('cargo', ['--version'], { stdio: 'ignore' }).status !== 0) {
  console.error(
    'holdfast needs cargo to build its native part: install Rust from https://rustup.rs and run npm ci again.',
  );
  process.exit(1);
}

const flags = [
  'build',
  '--platform',
  '--release',
  '--features',
  'node',
  '--manifest-path',
  'native/Cargo.toml',
];
const outputs = ['--output-dir', 'build', '--js', 'holdfast.cjs', '--dts', 'holdfast.d.cts'];
const tools = resolve(import.meta.dirname, '../node_modules/.bin');
const result = spawnSync('napi', [...flags, ...outputs], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${tools}${delimiter}${process.env.PATH}` },
  shell: process.platform === 'win32',
});
process.exit(result.status ?? 1);
