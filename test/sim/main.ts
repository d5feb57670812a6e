import { Command, InvalidArgumentError } from 'commander';
import { BREAKS, type Break, isBreak } from './breaks.js';
import { type Report, runSchedule } from './schedule.js';

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('not a whole number.');
  return value;
}

function breakName(text: string): Break {
  if (isBreak(text)) return text;
  throw new InvalidArgumentError(`not one of: ${Object.keys(BREAKS).join(', ')}.`);
}

interface Options {
  readonly seconds?: number;
  readonly schedules?: number;
  readonly seed?: number;
  readonly break?: Break;
  readonly trace?: true;
}

const options = new Command('sim')
  .description('Runs simulated clusters, one seed after another, until time is up or a promise is broken.')
  .option('--seconds <n>', 'stop after so many seconds (10, or none if --schedules is given)', whole)
  .option('--schedules <n>', 'stop after so many schedules', whole)
  .option('--seed <n>', 'the first seed (drawn anew)', whole)
  .option('--break <name>', `break one rule on purpose: ${Object.keys(BREAKS).join(', ')}`, breakName)
  .option('--trace', 'print every step; meant for one schedule')
  .parse()
  .opts<Options>();

const first = options.seed ?? Math.floor(Math.random() * 2 ** 31);
const schedulesMax = options.schedules ?? Number.POSITIVE_INFINITY;
const secondsMax = options.seconds ?? (options.schedules === undefined ? 10 : Number.POSITIVE_INFINITY);
const began = performance.now();
const total = { schedules: 0, ms: 0, events: 0, elections: 0, requests: 0, reads: 0, inconclusive: 0 };
let saidAt = began;

function add(report: Report): void {
  total.schedules++;
  total.ms += report.simulatedMs;
  total.events += report.events;
  total.elections += report.elections;
  total.requests += report.requests;
  total.reads += report.leasedReads + report.indexReads;
  total.inconclusive += report.inconclusive;
}

function status(): string {
  const seconds = (performance.now() - began) / 1_000;
  const hours = total.ms / 3_600_000;
  const { user, system } = process.cpuUsage();
  const coreHours = (user + system) / 3.6e9;
  return [
    `${total.schedules} schedules`,
    `${hours.toFixed(2)} simulated hours`,
    `${total.events} events`,
    `${total.elections} elections`,
    `${total.requests} requests`,
    `${total.reads} reads`,
    `${total.inconclusive} inconclusive`,
    `${seconds.toFixed(1)} s`,
    `${(hours / coreHours).toFixed(0)} simulated hours a core-hour`,
  ].join(', ');
}

console.log(
  `sim: first seed ${first}${options.break === undefined ? '' : `, broken: ${BREAKS[options.break]}`}`,
);
while (total.schedules < schedulesMax && performance.now() - began < secondsMax * 1_000) {
  const seed = first + total.schedules;
  const trace = options.trace === undefined ? undefined : (line: string) => console.log(line);
  const report = runSchedule(seed, { broken: options.break, trace });
  add(report);
  if (report.failure !== undefined) {
    const broken = options.break === undefined ? '' : ` --break ${options.break}`;
    console.log(`seed ${seed}: ${report.failure.name}: ${report.failure.message}`);
    if (report.failure.name !== 'Violation') console.log(report.failure.stack);
    console.log(`replay: npm run sim -- --seed ${seed} --schedules 1${broken} --trace`);
    console.log(`sim: failed after ${status()}`);
    process.exit(1);
  }
  if (performance.now() - saidAt > 10_000) {
    saidAt = performance.now();
    console.log(`sim: ${status()}`);
  }
}
console.log(`sim: nothing found in ${status()}`);
