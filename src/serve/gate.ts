/** The work there is more than enough of already. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

/**
 * Lets few pieces of work run at a time, some wait for their turn, and refuses the rest, so that memory has a limit
 * however many ask.
 * @throws BusyError (by the returned function) where too many wait
 */
export function createGate({ atATime, waiting }: { atATime: number; waiting: number }) {
  const queue: (() => void)[] = [];
  let running = 0;
  return async function pass<T>(work: () => Promise<T>): Promise<T> {
    if (running >= atATime) {
      if (queue.length >= waiting) throw new BusyError(`${waiting} images wait already`);
      await new Promise<void>((resolve) => queue.push(resolve)); // takes over the place of who calls it
    } else running++;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running--;
    }
  };
}
