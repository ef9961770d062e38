/** Work that can be interrupted after each step; its end is the result. */
export type Steps<T> = Generator<undefined, T>;

/** How many small things are one step. */
export const stepSize = 5_000;

/** All steps at once. */
export function drained<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
