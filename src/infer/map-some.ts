/** Images decoded at a time: before it is resized, a photo takes tens of megabytes. */
const AT_A_TIME = 4;

/** As `Promise.all(items.map(work))`, but with few of them under way at a time. */
export async function mapSome<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const left = items.entries();
  const worker = async () => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return results;
}
