import { randomUUID } from 'node:crypto';
import {
  type CreateHold,
  type CreateRetentionApproval,
  Hold,
  HoldList,
  InUseReporter,
  InUseReporterList,
  type RequestRetentionRun,
  RetentionApproval,
  RetentionDecisions,
  RetentionMarks,
  RetentionPolicy,
  RetentionPolicyList,
  RetentionRun,
  RetentionRunList,
  RetentionRunRepositories,
} from '@waybill/contracts/http';
import type { z } from 'zod';
import { queryOf } from './query-of.js';
import type { Call } from './waybill-api.js';

const root = '/api/v1/retention';

interface Why {
  readonly reason?: string;
}

/** What the API says and does of retention. Every method rejects as those of WaybillApi. */
export class RetentionApi {
  readonly #call: <Answer>(call: Call<Answer>) => Promise<Answer>;

  constructor(call: <Answer>(call: Call<Answer>) => Promise<Answer>) {
    this.#call = call;
  }

  policies(limit: number, state: 'declared' | 'all'): Promise<RetentionPolicyList> {
    return this.#get(`${root}/policies?${queryOf({ state, limit: String(limit) })}`, RetentionPolicyList);
  }

  policy(name: string): Promise<RetentionPolicy> {
    return this.#get(`${root}/policies/${encodeURIComponent(name)}`, RetentionPolicy);
  }

  pause(name: string, body: Required<Why>): Promise<RetentionPolicy> {
    return this.#post(`${root}/policies/${encodeURIComponent(name)}/pause`, body, RetentionPolicy);
  }

  resume(name: string, body: Why): Promise<RetentionPolicy> {
    return this.#post(`${root}/policies/${encodeURIComponent(name)}/resume`, body, RetentionPolicy);
  }

  requestRun(body: Partial<RequestRetentionRun> & Pick<RequestRetentionRun, 'policy'>): Promise<RetentionRun> {
    return this.#create(`${root}/runs`, body, RetentionRun);
  }

  run(id: string): Promise<RetentionRun> {
    return this.#get(`${root}/runs/${encodeURIComponent(id)}`, RetentionRun);
  }

  /** The newest. */
  runs(limit: number, policy?: string): Promise<RetentionRunList> {
    return this.#get(`${root}/runs?${queryOf({ policy, limit: String(limit) })}`, RetentionRunList);
  }

  runRepositories(id: string, limit: number): Promise<RetentionRunRepositories> {
    const path = `${root}/runs/${encodeURIComponent(id)}/repositories?${queryOf({ limit: String(limit) })}`;
    return this.#get(path, RetentionRunRepositories);
  }

  decisions(id: string, limit: number, repository?: string): Promise<RetentionDecisions> {
    const path = `${root}/runs/${encodeURIComponent(id)}/decisions?${queryOf({ repository, limit: String(limit) })}`;
    return this.#get(path, RetentionDecisions);
  }

  /** In the order of repositories, then of their plans. */
  marks(id: string, limit: number, repository?: string): Promise<RetentionMarks> {
    const path = `${root}/runs/${encodeURIComponent(id)}/marks?${queryOf({ repository, limit: String(limit) })}`;
    return this.#get(path, RetentionMarks);
  }

  approvePlan(id: string, body: Required<Why>): Promise<RetentionRun> {
    return this.#post(`${root}/runs/${encodeURIComponent(id)}/approve`, body, RetentionRun);
  }

  cancelRun(id: string, body: Why): Promise<RetentionRun> {
    return this.#post(`${root}/runs/${encodeURIComponent(id)}/cancel`, body, RetentionRun);
  }

  approve(body: CreateRetentionApproval): Promise<RetentionApproval> {
    return this.#create(`${root}/approvals`, body, RetentionApproval);
  }

  revoke(id: string, body: Why): Promise<RetentionApproval> {
    return this.#post(`${root}/approvals/${encodeURIComponent(id)}/revoke`, body, RetentionApproval);
  }

  placeHold(body: CreateHold): Promise<Hold> {
    return this.#create(`${root}/holds`, body, Hold);
  }

  /** The newest. */
  holds(limit: number, state: 'open' | 'all'): Promise<HoldList> {
    return this.#get(`${root}/holds?${queryOf({ state, limit: String(limit) })}`, HoldList);
  }

  releaseHold(id: string, body: Why): Promise<Hold> {
    return this.#post(`${root}/holds/${encodeURIComponent(id)}/release`, body, Hold);
  }

  reporters(limit: number): Promise<InUseReporterList> {
    return this.#get(`/api/v1/in-use/reporters?${queryOf({ limit: String(limit) })}`, InUseReporterList);
  }

  retireReporter(name: string, body: Required<Why>): Promise<InUseReporter> {
    return this.#post(`/api/v1/in-use/reporters/${encodeURIComponent(name)}/retire`, body, InUseReporter);
  }

  #get<Answer>(path: string, answer: z.ZodType<Answer>): Promise<Answer> {
    return this.#call<Answer>({ method: 'GET', path, answer });
  }

  #post<Answer>(path: string, body: unknown, answer: z.ZodType<Answer>): Promise<Answer> {
    return this.#call<Answer>({ method: 'POST', path, body, answer });
  }

  #create<Answer>(path: string, body: unknown, answer: z.ZodType<Answer>): Promise<Answer> {
    return this.#call<Answer>({ method: 'POST', path, body, idempotencyKey: randomUUID(), answer });
  }
}
