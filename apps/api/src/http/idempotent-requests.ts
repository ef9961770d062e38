import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Actor } from '@waybill/access';
import { type IdempotentRequest, IdempotencyKeys, type StoredAnswer } from '@waybill/persistence';
import { ApiError } from './api-error.js';

/** Printable ASCII without the space, as the header field's draft allows in a string. */
const keyPattern = /^[\x21-\x7e]{1,255}$/;

/** A claim that the work's transaction completes with its answer. */
export interface OpenClaim {
  readonly request: IdempotentRequest;
  readonly token: string;
}

export interface IdempotentWork {
  readonly actor: Actor;
  readonly route: string;
  readonly key: string | undefined;
  readonly body: unknown;
  /** Does the work and stores its answer under the claim, in one transaction. */
  readonly work: (claim: OpenClaim) => Promise<StoredAnswer>;
}

/**
 * Does the work of one request once: repeated with the same Idempotency-Key, the first answer is given again.
 * Only what was accepted is remembered; a request that was refused did nothing and may be mended and repeated.
 */
@Injectable()
export class IdempotentRequests {
  readonly #keys: IdempotencyKeys;

  constructor(keys: IdempotencyKeys) {
    this.#keys = keys;
  }

  /** @throws ApiError `idempotency-key-missing`, `idempotency-key-reused`, `request-in-flight` */
  async handle({ actor, route, key, body, work }: IdempotentWork): Promise<StoredAnswer> {
    if (key === undefined || !keyPattern.test(key)) {
      throw new ApiError('send an Idempotency-Key header of 1 to 255 visible characters', { code: 'idempotency-key-missing' });
    }
    const hash = new Uint8Array(createHash('sha256').update(JSON.stringify(body)).digest());
    const request = { principalId: actor.principal.id, route, key, hash };
    const claim = await this.#keys.claim(request);
    switch (claim.claim) {
      case 'answered':
        return claim.answer;
      case 'in-flight':
        throw new ApiError('a request with this Idempotency-Key is being handled', { code: 'request-in-flight', retryAfterMs: 1_000 });
      case 'other-request':
        throw new ApiError('this Idempotency-Key was used for another request', { code: 'idempotency-key-reused' });
      case 'ours':
        return this.#work({ request, token: claim.token }, work);
    }
  }

  async #work(claim: OpenClaim, work: IdempotentWork['work']): Promise<StoredAnswer> {
    try {
      return await work(claim);
    } catch (error) {
      // The error is what the caller needs to know; a claim that cannot be released expires by itself.
      await this.#keys.release(claim.request, claim.token).catch(() => undefined);
      throw error;
    }
  }
}
