/**
 * A mistake in what the user gave: a flag, a configuration, a file. Its message is one sentence that says what is
 * wrong, where, and what to do. The command line prints it without a stack trace and exits with code 2; every other
 * error is a bug and keeps its stack trace.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** Work that was broken off by the user's wish, and what to do to go on with it. The cause is what the wish came as. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}
