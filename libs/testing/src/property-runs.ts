export interface PropertyRuns {
  readonly numRuns: number;
  /** The same unless `WAYBILL_TEST_SEED` says another, so that a failure can be seen again. */
  readonly seed: number;
}

/** On how many cases a property is tried: a sample, or as many as the environment's variable says where there is time for them. */
export function propertyRuns(variable: string, sample: number): PropertyRuns {
  return { numRuns: numberIn(variable) ?? sample, seed: numberIn('WAYBILL_TEST_SEED') ?? 20_261_122 };
}

function numberIn(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === '') return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${variable} is ${JSON.stringify(text)}, which is no number of at most nine digits`);
  return Number(text);
}
