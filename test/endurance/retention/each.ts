/** Works through a list, some at a time; rejects with what fails first. */
export async function each<Item>(items: Iterable<Item>, work: (item: Item) => Promise<void>, atOnce = 4): Promise<void> {
  const left = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
