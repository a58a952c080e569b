/** Ctrl-C and its like. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
type Signal = (typeof SIGNALS)[number];

/** What a shell expects of a process that a signal ended: 128 + the signal's number. */
export const EXIT_CODES: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

/**
 * Turns the first SIGINT or SIGTERM into an aborted `signal`, whose reason is its name; the next one ends the process at
 * once, which harms nothing, as files are written atomically.
 */
export function untilSignal(onSignal: (signal: Signal) => void): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const listener = (signal: Signal) => {
    if (controller.signal.aborted) process.exit(EXIT_CODES[signal]);
    controller.abort(signal);
    onSignal(signal);
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    signal: controller.signal,
    end() {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}
