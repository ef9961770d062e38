import type { KeyView } from '@waybill/contracts/http';
import type { ApiKeyRecord } from '@waybill/persistence';

export function toKeyView(record: ApiKeyRecord): KeyView {
  const { id, kind, issuer, subject } = record.principal;
  return {
    id: record.id,
    principal: { id, kind, issuer, subject },
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
