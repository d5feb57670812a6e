/** What figures depend on and nobody can see in them. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import type { Trial } from './trial.js';

const GIB = 2 ** 30;

/** Load average of the last minute. */
export function load(): string {
  return (loadavg()[0] ?? 0).toFixed(2);
}

function holdfastVersion(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  return manifest.version;
}

function driverVersions(trials: readonly Trial[]): string[] {
  const drivers = trials.flatMap((trial) => trial.drivers);
  const versions = drivers.flatMap(({ name, version }) =>
    version === undefined ? [] : [`${name} ${version}`],
  );
  return [...new Set(versions)];
}

/** Machine, versions and date, a line each. */
export function describeMachine(trials: readonly Trial[]): string[] {
  const [cpu] = cpus();
  const memory = `${(totalmem() / GIB).toFixed(1)} GiB`;
  const versions = [`node ${process.version}`, `holdfast ${holdfastVersion()}`, ...driverVersions(trials)];
  return [
    `machine   ${cpu?.model.trim() ?? 'unknown'}, ${cpus().length} cores, ${memory}, ${process.platform} ${process.arch}`,
    `load      ${load()} before the first run`,
    `versions  ${versions.join(', ')}`,
    `date      ${new Date().toISOString()}`,
  ];
}
