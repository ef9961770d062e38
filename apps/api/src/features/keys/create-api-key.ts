import { type Actor, type Grant, holds, holdsAll, issueApiKey } from '@waybill/access';
import type { CreatedKey, CreateKey } from '@waybill/contracts/http';
import { uuidV7 } from '@waybill/kernel';
import type { ApiKeyRecord, ApiKeys, StoredAnswer } from '@waybill/persistence';
import { ApiError } from '../../http/api-error.js';
import type { OpenClaim } from '../../http/idempotent-requests.js';
import { jsonAnswer } from '../../http/json-answer.js';
import { toKeyView } from './key.mapper.js';

/** Makes API keys. The secret is given once and stored nowhere, not even in the answer that is kept for repetitions. */
export class CreateApiKey {
  readonly #keys: ApiKeys;

  constructor(keys: ApiKeys) {
    this.#keys = keys;
  }

  /**
   * Gives the first answer, with the secret, and the one that repetitions get.
   * @throws ApiError `forbidden` for a subject whose keys may do more than the caller's
   */
  async create(actor: Actor, body: CreateKey, claim: OpenClaim): Promise<{ readonly first: StoredAnswer; readonly kept: StoredAnswer }> {
    const issued = issueApiKey(uuidV7.next());
    const answerOf = (record: ApiKeyRecord, secret: { readonly key?: string } = {}): StoredAnswer => {
      const created: CreatedKey = { ...secret, details: toKeyView(record) };
      return jsonAnswer(201, { Location: `/api/v1/keys/${record.id}` }, created);
    };
    let first: StoredAnswer | undefined;
    const kept = await this.#keys.create(
      {
        id: issued.id,
        hash: issued.hash,
        principal: { kind: 'service', issuer: 'waybill', subject: body.subject },
        grants: body.grants,
        ...(body.expiresAt === undefined ? {} : { expiresAt: new Date(body.expiresAt) }),
      },
      {
        ...claim,
        permit: (held) => refuseStrongerPrincipal(actor, held),
        answerOf: (record) => {
          first = answerOf(record, { key: issued.text });
          return answerOf(record);
        },
      },
    );
    if (kept !== undefined && first !== undefined) return { first, kept };
    throw new ApiError('a repetition of this request took over', { code: 'request-in-flight', retryAfterMs: 1_000 });
  }
}

/** Whoever makes keys makes none that may do more than their own. @throws ApiError `forbidden` */
export function refuseWiderGrants(actor: Actor, { grants }: CreateKey): void {
  const errors = grants.flatMap((grant, position) =>
    holds(actor.grants, grant) ? [] : [{ pointer: `/grants/${position}`, detail: 'more than the key that asks for it may do itself' }],
  );
  if (errors.length > 0) throw new ApiError('a key may not grant what it does not hold itself', { code: 'forbidden', errors });
}

/** A key acts in its principal's name, so only those who may do all that the name may already do add keys to it. */
function refuseStrongerPrincipal(actor: Actor, held: readonly Grant[]): void {
  if (holdsAll(actor.grants, held)) return;
  const detail = 'has keys that may do more than the key that asks: choose another subject';
  throw new ApiError('a key may not be added to a principal that may do more', {
    code: 'forbidden',
    errors: [{ pointer: '/subject', detail }],
  });
}
