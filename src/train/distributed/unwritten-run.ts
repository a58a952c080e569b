import type { Run } from '../../runs/index.js';

/** The run of a process that does not write it, as another one does. */
export function unwrittenRun(folder: string): Run {
  return {
    folder,
    metrics: { append() {}, save: () => 0, close() {} },
    events: null,
    saved() {},
    finish() {},
    fail() {},
    interrupt() {},
  };
}
