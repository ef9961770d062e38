import { z } from 'zod';
import { Fault, type FaultRule, type RequestFacts } from './fault.js';

const routeKinds = ['base', 'catalog', 'tags', 'manifest', 'referrers', 'blob', 'uploads', 'upload'] as const;

/** Which requests are meant: those for which everything that is said here is so. */
const FaultMatch = z.strictObject({
  kind: z.enum(routeKinds).optional(),
  method: z.string().optional(),
  repository: z.string().optional(),
  /** The tag or digest that the path names. */
  reference: z.string().optional(),
});

/** From the `nth` request that matches, `times` requests get the fault. */
export const PlannedFault = z.strictObject({
  match: FaultMatch.default({}),
  /** 1 is the first, and the default. */
  nth: z.int().min(1).default(1),
  /** 1 by default. */
  times: z.union([z.int().min(1), z.literal('always')]).default(1),
  fault: Fault,
});
export type PlannedFault = Readonly<z.input<typeof PlannedFault>>;

interface Entry extends z.output<typeof PlannedFault> {
  seen: number;
}

/**
 * Faults by rule: "the third PUT of a manifest gets a 503". Every rule counts the requests that match it,
 * whether or not another rule hits them; where several hit one request, the first decides.
 */
export class FaultPlan {
  #entries: readonly Entry[] = [];

  constructor(faults: readonly PlannedFault[] = []) {
    this.replace(faults);
  }

  /**
   * Forgets the plan and its counts, and follows another one; an empty one makes everything go well.
   * @throws ZodError when `faults` is no plan
   */
  replace(faults: unknown): void {
    this.#entries = z
      .array(PlannedFault)
      .parse(faults)
      .map((planned) => ({ ...planned, seen: 0 }));
  }

  /** A rule of the plan, to be asked once for each request. */
  readonly rule: FaultRule = (request) => {
    let chosen: Fault | undefined;
    for (const entry of this.#entries) {
      if (!isMeant(entry, request)) continue;
      entry.seen += 1;
      const last = entry.times === 'always' ? Infinity : entry.nth + entry.times - 1;
      if (entry.seen >= entry.nth && entry.seen <= last) chosen ??= entry.fault;
    }
    return chosen;
  };
}

function isMeant({ match }: Entry, { method, route }: RequestFacts): boolean {
  if (match.kind !== undefined && match.kind !== route.kind) return false;
  if (match.method !== undefined && match.method !== method) return false;
  if (match.repository !== undefined && (!('repository' in route) || match.repository !== route.repository)) return false;
  return match.reference === undefined || match.reference === referenceOf(route);
}

function referenceOf(route: RequestFacts['route']): string | undefined {
  if ('reference' in route) return route.reference;
  return 'digest' in route ? route.digest : undefined;
}
