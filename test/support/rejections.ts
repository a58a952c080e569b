/** The promises that were rejected with nobody listening, while `run` ran and shortly after. */
export async function unhandledRejections(run: () => void): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listen);
  try {
    run();
    await new Promise((resolve) => setTimeout(resolve, 10));
  } finally {
    process.off('unhandledRejection', listen);
  }
  return unhandled;
}
