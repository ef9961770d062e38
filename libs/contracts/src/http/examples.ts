import type { z } from 'zod';
import { Provenance } from './artifacts.js';
import { CancelPromotion, CreatePause, Pause, RetryPromotion } from './control.js';
import { ResolvedArtifact } from './find-artifact.js';
import { CreatedKey, CreateKey } from './keys.js';
import { Problem } from './problems.js';
import { AcceptedPromotion, CreatePromotion, Promotion, PromotionList, type PromotionTarget } from './promotions.js';
import { AppliedTopology, ApplyTopology } from './topology.js';

/** What a request or an answer of a schema may look like, for the documentation. */
export interface SchemaExample {
  readonly schema: z.ZodType;
  readonly value: unknown;
}

function exampleOf<Schema extends z.ZodType>(schema: Schema, value: z.input<Schema>): SchemaExample {
  return { schema, value };
}

const promotionId = '019f2b6c-7a10-7c3e-9d41-5b8a2f6e0c11';
const pipeline = '019f2b6c-0001-7f00-8a00-3c1d5e7f9a0b';
const digest = 'sha256:b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c';
const intentHash = 'sha256:7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730';
const requestedAt = '2026-05-01T10:00:00.000Z';
const finishedAt = '2026-05-01T10:00:12.250Z';
const mediaType = 'application/vnd.oci.image.index.v1+json';
const source = { registry: 'ci-snapshots', repository: 'team-a/app', tag: '1.4.0' };

const estimate = {
  madeAt: requestedAt,
  targets: [
    {
      item: 0,
      registry: 'prod',
      manifests: { copy: 3, mount: 0, skip: 0 },
      blobs: { copy: 2, mount: 0, skip: 6 },
      bytes: { copy: 31_457_280, mount: 0, skip: 94_371_840 },
      requests: 21,
    },
  ],
  links: [{ from: 'eu', to: 'eu', bytes: 31_460_352, requests: 21, cost: 0 }],
};

const facts = { id: promotionId, path: 'release', revision: 7, requestedBy: pipeline, reason: 'release day', requestedAt };

const target: z.input<typeof PromotionTarget> = {
  ...{ id: '019f2b6c-7a11-7a52-8e0f-61c4d2b7f903', registry: 'prod', location: 'eu', repository: 'team-a/app' },
  ...{ requirement: 'required', state: 'done', outcome: 'copied', attempts: 1 },
  tags: [{ tag: '1.4.0', expected: { kind: 'absent' }, outcome: 'written' }],
  ...{ bytesCopied: 31_457_280, bytesMounted: 0, bytesSkipped: 94_371_840 },
  ...{ startedAt: '2026-05-01T10:00:00.400Z', finishedAt },
};

const chain = {
  sequence: 1041,
  hash: '3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea',
  previousHash: '18ac3e7343f016890c510e93f935261169d9e3f565436429830faf0934f4f8e4',
};

const grants = [{ verbs: ['promotions:create' as const], paths: ['release'], repositories: ['team-a/**'] }];

/** Of the main routes, from request to record; each parses to itself by its schema. */
export const schemaExamples: readonly SchemaExample[] = [
  exampleOf(CreatePromotion, {
    path: 'release',
    items: [{ source: 'ci-snapshots/team-a/app:1.4.0' }],
    reason: 'release day',
    labels: { team: 'a' },
    externalRef: 'pipeline 4711',
  }),
  exampleOf(AcceptedPromotion, {
    ...{ id: promotionId, state: 'requested', path: 'release', revision: 7, intentHash, estimate },
    items: [{ source, digest, targets: [{ registry: 'prod', repository: 'team-a/app', requirement: 'required', tags: ['1.4.0'] }] }],
  }),
  exampleOf(Promotion, {
    ...{ ...facts, state: 'succeeded', settled: true, labels: { team: 'a' }, externalRef: 'pipeline 4711', intentHash, estimate },
    items: [{ source, digest, mediaType, targets: [target] }],
    finishedAt,
  }),
  exampleOf(PromotionList, {
    promotions: [{ ...facts, state: 'succeeded', finishedAt, image: { repository: 'team-a/app', tag: '1.4.0', digest }, items: 1 }],
    next: 'MDE5ZjJiNmMtN2ExMC03YzNlLTlkNDEtNWI4YTJmNmUwYzEx',
  }),
  exampleOf(CancelPromotion, { reason: 'the wrong version' }),
  exampleOf(RetryPromotion, { reason: 'the disk has room again' }),
  exampleOf(CreatePause, { scope: 'path', name: 'release', reason: 'release freeze until Monday' }),
  exampleOf(Pause, {
    ...{ id: '019f2b70-11aa-7d2c-b1f4-90c3e5a7d821', scope: 'path', name: 'release', reason: 'release freeze until Monday' },
    ...{ pausedBy: pipeline, pausedAt: requestedAt },
  }),
  exampleOf(CreateKey, { subject: 'pipeline', grants, expiresAt: '2027-05-01T00:00:00Z' }),
  exampleOf(CreatedKey, {
    key: 'wb_…',
    details: {
      id: '019f2b6c-0002-7e11-9b22-4d5e6f708192',
      principal: { id: pipeline, kind: 'service', issuer: 'waybill', subject: 'pipeline' },
      grants,
      createdAt: requestedAt,
      expiresAt: '2027-05-01T00:00:00Z',
    },
  }),
  exampleOf(ApplyTopology, { source: 'apiVersion: waybill/v1\nkind: Topology\n…', file: 'topology.yaml' }),
  exampleOf(AppliedTopology, {
    revision: {
      ...{ number: 7, name: 'example', hash: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae' },
      ...{ appliedBy: pipeline, appliedAt: requestedAt },
    },
    changed: true,
  }),
  exampleOf(ResolvedArtifact, { registry: 'ci-snapshots', repository: 'team-a/app', tag: '1.4.0', digest, mediaType, size: 857 }),
  exampleOf(Provenance, {
    digest,
    entries: [
      {
        ...{ kind: 'effect', promotionId, subject: digest, occurredAt: '2026-05-01T10:00:12.250417Z' },
        body: { effect: 'tag', registry: 'prod', repository: 'team-a/app', tag: '1.4.0', outcome: 'written', observed: digest },
        chain,
      },
    ],
  }),
  exampleOf(Problem, {
    type: '/api/docs/problems#request-invalid',
    title: 'The request is not valid',
    status: 422,
    detail: 'the request is not valid: see errors',
    instance: 'urn:uuid:019f2b6c-9f00-7b41-8c6e-2a7d4f1e5b93',
    code: 'request-invalid',
    errors: [{ pointer: '/limit', detail: 'expected a whole number from 1 to 200, not "x"' }],
  }),
];
