import { z } from 'zod';
import type { DiagnosticCode } from './diagnostic.js';

interface Verdict {
  readonly code: DiagnosticCode;
  readonly problem: string;
  readonly suggestion?: string;
}

/** A text with a grammar of its own. The findings take code and suggestion from `params`. */
export function written(judge: (text: string) => Verdict | undefined, description: string): z.ZodString {
  return z
    .string()
    .superRefine((text, context) => {
      const verdict = judge(text);
      if (verdict === undefined) return;
      const { code, problem, suggestion } = verdict;
      context.addIssue({ code: 'custom', message: problem, params: { diagnostic: code, suggestion } });
    })
    .describe(description);
}

const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const longestName = 63;

export const Name = z.string().max(longestName).regex(kebabCase);
export const Secret = Name.describe('Name of a secret; its value comes from the environment or the secrets folder');
export const SecretRef = z.strictObject({ secret: Secret });
