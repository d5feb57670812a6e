/** Entry of the process of one run. Its parent names trial, driver, scale and scratch directory, and gets the result. */
import { trials } from './catalogue.js';
import type { RunResult, Scale } from './trial.js';

/** What the process of a run tells its parent. */
export type RunAnswer = { readonly result: RunResult } | { readonly error: string };

function answer(message: RunAnswer): void {
  process.send?.(message, () => process.disconnect());
}

async function main(): Promise<void> {
  const [trialName, driver = '', scale, scratch = ''] = process.argv.slice(2);
  const trial = trials.find(({ name }) => name === trialName);
  if (trial === undefined) throw new RangeError(`there is no trial ${trialName}`);
  answer({ result: await trial.run(driver, { scale: scale as Scale, scratch }) });
}

// The parent is gone, or wants the run to end: exit handlers end what the run has started.
process.on('disconnect', () => process.exit());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

main().catch((error: unknown) => {
  answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
});
