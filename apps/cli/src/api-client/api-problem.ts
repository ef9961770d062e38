import type { Problem } from '@waybill/contracts/http';
import { WaybillError } from '@waybill/kernel';

interface ApiProblemFacts {
  readonly code: string;
  readonly retryable?: boolean;
  readonly problem?: Problem | undefined;
  readonly cause?: unknown;
}

/** What the API answered instead of what was asked for. */
export class ApiProblem extends WaybillError {
  readonly problem: Problem | undefined;

  constructor(message: string, facts: ApiProblemFacts) {
    super(message, { code: facts.code, operation: 'call api', retryable: facts.retryable ?? false, cause: facts.cause });
    this.problem = facts.problem;
  }

  static from(status: number, problem: Problem | undefined): ApiProblem {
    if (problem === undefined) return new ApiProblem(`the API answered ${status}`, { code: 'answer-invalid', retryable: status >= 500 });
    return new ApiProblem(problem.detail ?? problem.title, { code: problem.code, retryable: status === 503, problem });
  }
}

/** What to do about a problem, where the command line knows more than the API. */
const advice: Readonly<Record<string, string>> = {
  unauthenticated: 'set WAYBILL_API_KEY; "waybill up" keeps the administrator\'s key in .waybill/admin.key',
  'answer-invalid': 'check WAYBILL_API_URL: perhaps something else than Waybill answers there',
  'not-found': 'check WAYBILL_API_URL: it is the origin alone, such as http://127.0.0.1:8080',
  'path-unknown': '"waybill topology show" lists the paths',
  'registry-unknown': 'a registry is named as in "waybill topology show", not by its address',
  'reference-invalid': 'write registry/repository:tag, with the registry\'s name as in "waybill topology show"',
};

/** Either the source is named without saying which image, or the tags of the targets are not told. */
function adviceOn({ code, problem }: ApiProblem): string | undefined {
  if (code !== 'tag-missing') return advice[code];
  const isOfTargets = problem?.errors?.some(({ pointer }) => pointer?.endsWith('/tags')) === true;
  return isOfTargets ? 'say which with --tag' : 'write registry/repository:tag, or registry/repository@sha256:…';
}

/** The nearest valid words of an unknown one, as a line when there are any. */
export function nearWords(near: readonly string[] | undefined): string[] {
  return near === undefined || near.length === 0 ? [] : [`did you mean ${near.join(', ')}?`];
}

/** The problem as lines for a person. */
export function explain(error: ApiProblem): string[] {
  const { near, errors } = error.problem ?? {};
  const advised = near === undefined || near.length === 0 ? adviceOn(error) : undefined;
  return [
    error.message,
    ...nearWords(near),
    ...(errors ?? [])
      .filter(({ detail }) => detail !== error.message)
      .map(({ pointer, detail, line }) => (line === undefined && pointer !== undefined ? `${pointer}: ${detail}` : detail)),
    ...(advised === undefined ? [] : [advised]),
  ];
}
