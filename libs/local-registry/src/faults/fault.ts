import { z } from 'zod';
import type { Route } from '../route.js';

/** A request as a fault rule sees it. */
export interface RequestFacts {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly route: Route;
}

/** The connection breaks in the middle. */
export const Interruption = z.strictObject({
  /** After so many bytes of a body. */
  afterBytes: z.int().min(0),
  /** `reset`: by a TCP reset. `close`: closed in order, so that what is missing is only told by the length. `stall`: it stays, and nothing moves until the client leaves, or for an upload that is held until it times out. */
  by: z.enum(['reset', 'close', 'stall']),
  /** Whose body. An interrupted request gets no answer. */
  of: z.enum(['request', 'answer']),
});
export type Interruption = Readonly<z.infer<typeof Interruption>>;

/** What goes wrong on purpose. Several may be combined; none is a request that is served as ever. */
export const Fault = z.strictObject({
  /** Wait before doing anything, in milliseconds. */
  delayMs: z.int().min(0).optional(),
  /** Never answer. */
  stall: z.literal(true).optional(),
  /** Answer with this status, and an error of the specification, instead of doing anything. */
  status: z.int().min(400).max(599).optional(),
  /** Send the client somewhere else with 307 instead of doing anything: an absolute or relative reference. */
  redirectTo: z.string().optional(),
  /** Set these headers of whichever answer is sent; `null` leaves one out. */
  headers: z.record(z.string(), z.union([z.string(), z.null()])).optional(),
  /** Change the first byte of the answer's body. */
  corrupt: z.literal(true).optional(),
  interrupt: Interruption.optional(),
});
export type Fault = Readonly<z.infer<typeof Fault>>;

/** Decides for each request, before it is worked on, whether something goes wrong with it. */
export type FaultRule = (request: RequestFacts) => Fault | undefined;
