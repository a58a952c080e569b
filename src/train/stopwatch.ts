/** Times in seconds. */
export interface Effort {
  /** wall time */
  readonly seconds: number;
  /** processor time of all threads of the process, those that make views among them */
  readonly cpuSeconds: number;
}

/** Adds up the time that a part of the work takes. */
export class Stopwatch implements Effort {
  seconds: number;
  cpuSeconds: number;

  /** @param before what was counted already */
  constructor({ seconds, cpuSeconds }: Effort = { seconds: 0, cpuSeconds: 0 }) {
    this.seconds = seconds;
    this.cpuSeconds = cpuSeconds;
  }

  /** Times one piece of work. */
  async time<T>(work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const cpuStarted = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(cpuStarted); // µs
    this.seconds += (performance.now() - started) / 1000;
    this.cpuSeconds += (user + system) / 1e6;
    return result;
  }
}
