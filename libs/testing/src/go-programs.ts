import { z } from 'zod';

/** Real registries and registry clients written in Go. */
export const goProgramNames = ['distribution', 'zot', 'crane', 'regctl', 'oras', 'cosign'] as const;
export type GoProgramName = (typeof goProgramNames)[number];

const Found = z.object({ path: z.string(), version: z.string() });
const Missing = z.object({
  /** Why it is not here, in a few words. */
  missing: z.string(),
  /** Missing for a reason that says nothing about us, so that no run fails for it. */
  isExcused: z.boolean(),
});
const GoPrograms = z.partialRecord(z.enum(goProgramNames), z.union([Found, Missing]));

export type GoProgramState = z.infer<typeof Found> | z.infer<typeof Missing>;

const unknown: GoProgramState = { missing: 'only `npm run test:interop` builds it', isExcused: false };

export function isGoProgram(name: string): name is GoProgramName {
  return (goProgramNames as readonly string[]).includes(name);
}

/**
 * Where a program is, or why it is not: `npm run test:interop` builds them before the tests and says so in
 * `WAYBILL_TEST_GO_PROGRAMS`. A build takes minutes, so no test begins one.
 */
export function goProgramState(name: GoProgramName, environment: NodeJS.ProcessEnv = process.env): GoProgramState {
  const text = environment['WAYBILL_TEST_GO_PROGRAMS'];
  if (text === undefined) return unknown;
  return GoPrograms.parse(JSON.parse(text))[name] ?? unknown;
}
