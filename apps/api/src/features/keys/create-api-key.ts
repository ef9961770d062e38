import { issueApiKey } from '@waybill/access';
import type { CreateKey, KeyView } from '@waybill/contracts/http';
import { uuidV7 } from '@waybill/kernel';
import type { ApiKeyRecord, ApiKeys, StoredAnswer } from '@waybill/persistence';
import { ApiError } from '../../http/api-error.js';
import type { OpenClaim } from '../../http/idempotent-requests.js';

/** Makes API keys. The secret is given once and stored nowhere, not even in the answer that is kept for repetitions. */
export class CreateApiKey {
  readonly #keys: ApiKeys;

  constructor(keys: ApiKeys) {
    this.#keys = keys;
  }

  async create(body: CreateKey, claim: OpenClaim): Promise<{ readonly secret: string; readonly answer: StoredAnswer }> {
    const issued = issueApiKey(uuidV7.next());
    const answerOf = (record: ApiKeyRecord): StoredAnswer => ({
      status: 201,
      headers: { Location: `/api/v1/keys/${record.id}` },
      body: { details: toKeyView(record) },
    });
    const answer = await this.#keys.create(
      {
        id: issued.id,
        hash: issued.hash,
        principal: { kind: 'service', issuer: 'waybill', subject: body.subject },
        grants: body.grants,
        ...(body.expiresAt === undefined ? {} : { expiresAt: new Date(body.expiresAt) }),
      },
      { ...claim, answerOf },
    );
    if (answer === undefined)
      throw new ApiError('a repetition of this request took over', { code: 'request-in-flight', retryAfterMs: 1_000 });
    return { secret: issued.text, answer };
  }
}

export function toKeyView(record: ApiKeyRecord): KeyView {
  return {
    id: record.id,
    principal: record.principal,
    grants: record.grants.map(({ verbs, paths, repositories }) => ({
      verbs: [...verbs],
      paths: [...paths],
      repositories: [...repositories],
    })),
    createdAt: record.createdAt.toISOString(),
    ...(record.expiresAt === undefined ? {} : { expiresAt: record.expiresAt.toISOString() }),
    ...(record.revokedAt === undefined ? {} : { revokedAt: record.revokedAt.toISOString() }),
  };
}
