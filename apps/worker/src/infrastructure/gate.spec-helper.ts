/** Something that happens when a spec says so. */
export interface Gate<T = void> {
  readonly passed: Promise<T>;
  open(value: T): void;
  break(error: Error): void;
}

export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const passed = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { passed, open: (value) => open(value), break: (error) => fail(error) };
}

/** Lets everything that can go on go on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
