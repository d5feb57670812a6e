/**
 * What a benchmark is made of. A trial names the drivers that it compares; a driver knows nothing of trials. Each run of
 * a driver is a process of its own, which measures all metrics of the trial once.
 */

/** How large a run is: `tiny` takes a moment and measures nothing of worth; it shows that everything works. */
export type Scale = 'real' | 'tiny';

/** One of the things that a trial compares. */
export interface Driver {
  readonly name: string;
  /** What is measured and its version, for the report; undefined for what comes with Node or with holdfast. */
  readonly version?: string;
  /** Why it cannot run on this machine; undefined if it can. */
  unavailable?(): Promise<string | undefined>;
}

/** One figure of one run. */
export interface Figure {
  readonly metric: string;
  readonly unit: string;
  readonly value: number;
}

/** What one run found. */
export interface RunResult {
  readonly figures: readonly Figure[];
  /** Over everything that was computed: equal for all drivers and runs of a trial, or one of them did something else. */
  readonly hash: string;
}

/** Where and how large a run is. */
export interface RunSetting {
  readonly scale: Scale;
  /** A directory of this run alone. It is removed afterwards. */
  readonly scratch: string;
}

/** A trial over drivers of one kind. */
export interface TrialDefinition<D extends Driver> {
  readonly name: string;
  /** One line that says what is measured. */
  readonly about: string;
  /** The first one is the baseline: ratios are against it. */
  readonly drivers: readonly [D, ...D[]];
  /** How often it is run unless the command line says otherwise. */
  readonly runs?: number;
  measure(driver: D, setting: RunSetting): Promise<RunResult>;
}

/** A trial, whatever its drivers are. */
export interface Trial {
  readonly name: string;
  readonly about: string;
  readonly baseline: string;
  readonly drivers: readonly Driver[];
  readonly runs: number;
  /** Runs a driver once, in this process. */
  run(driver: string, setting: RunSetting): Promise<RunResult>;
}

const RUNS = 5;

/** Makes a trial of its definition. */
export function defineTrial<D extends Driver>(definition: TrialDefinition<D>): Trial {
  const { name, about, drivers, runs = RUNS } = definition;
  return {
    ...{ name, about, drivers, runs },
    baseline: drivers[0].name,
    async run(driverName, setting) {
      const driver = drivers.find((one) => one.name === driverName);
      if (driver === undefined) throw new RangeError(`${name} has no driver ${driverName}`);
      return definition.measure(driver, setting);
    },
  };
}
