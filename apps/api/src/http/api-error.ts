import { type ErrorFacts, WaybillError } from '@waybill/kernel';
import type { Problem, ProblemCode } from '@waybill/contracts/http';

export interface ApiErrorFacts extends Omit<ErrorFacts<ProblemCode>, 'operation'> {
  readonly errors?: Problem['errors'];
}

/** What the API itself refuses; libraries have errors of their own. */
export class ApiError extends WaybillError<ProblemCode> {
  readonly errors: Problem['errors'];

  constructor(message: string, facts: ApiErrorFacts) {
    super(message, { ...facts, operation: 'handle request' });
    this.errors = facts.errors;
  }
}
