/** `npm run chaos -- [--seconds N] [--seed S]`: chaos runs of a minute, one seed after the other, until the time is over. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { runChaos } from './run.js';

const RUN_SECONDS = 60;

const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } });
const seconds = Number(values.seconds ?? RUN_SECONDS);
const first = Number(values.seed ?? randomInt(1_000_000));
if (!(seconds > 0) || !Number.isInteger(first)) {
  console.error('usage: npm run chaos -- [--seconds N] [--seed S]');
  process.exit(2);
}

for (let left = seconds, seed = first; left > 0; left -= RUN_SECONDS, seed++) {
  const run = { seed, seconds: Math.min(left, RUN_SECONDS), log: (line: string) => console.log(`  ${line}`) };
  console.log(`seed ${seed}, ${run.seconds} s`);
  const { violations, ...numbers } = await runChaos(run);
  console.log(JSON.stringify(numbers));
  if (violations.length === 0) continue;
  for (const violation of violations.slice(0, 20)) console.error(violation);
  console.error(`${violations.length} violations; npm run chaos -- --seed ${seed} --seconds ${run.seconds}`);
  process.exitCode = 1;
  break;
}
