/** Time as a port, so that rules about it can be tested. */
export interface Clock {
  /** Wall-clock time of this process. Decisions use the database's clock instead (DESIGN "Time"). */
  now(): Date;
  /** Milliseconds of a clock that never runs backwards; only differences mean anything. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
};
