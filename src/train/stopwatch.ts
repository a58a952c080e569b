/** Adds up the time that a part of the work takes. */
export class Stopwatch {
  /** wall time */
  seconds = 0;
  /** processor time of all threads of the process, those that make views among them */
  cpuSeconds = 0;

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
