// Builds the addon into build/. Run by `npm ci` through the package's own `prepare`.
import { spawnSync } from 'node:child_process';

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
const result = spawnSync('napi', [...flags, ...outputs], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
process.exit(result.status ?? 1);
