import { z } from 'zod';
import { Id, Timestamp } from './primitives.js';

/** The verbs of the access library, for clients. */
export const verbNames = [
  'promotions:create',
  'promotions:read',
  'artifacts:read',
  'topology:read',
  'topology:apply',
  'registries:locate',
  'keys:manage',
] as const;

export const Grant = z
  .strictObject({
    verbs: z.array(z.enum(verbNames)).min(1),
    paths: z.array(z.string().min(1).max(100)).min(1).max(100).describe('names of paths; `*` is every path'),
    repositories: z.array(z.string().min(1).max(255)).min(1).max(100).describe('globs over source repositories; `**` is every repository'),
  })
  .describe('verbs × paths × repositories');

export const CreateKey = z
  .strictObject({
    subject: z.string().min(1).max(255).describe('name of the service that will use the key'),
    grants: z.array(Grant).min(1).max(50),
    expiresAt: Timestamp.optional(),
  })
  .describe('makes an API key');
export type CreateKey = z.infer<typeof CreateKey>;

export const KeyView = z
  .object({
    id: Id,
    principal: z.object({ id: Id, kind: z.string(), issuer: z.string(), subject: z.string() }),
    grants: z.array(Grant),
    createdAt: Timestamp,
    expiresAt: Timestamp.optional(),
    revokedAt: Timestamp.optional(),
  })
  .describe('an API key without its secret');
export type KeyView = z.infer<typeof KeyView>;

export const CreatedKey = z
  .object({ key: z.string().optional().describe('shown once, not when the request is repeated; only a hash is kept'), details: KeyView })
  .describe('a new API key');
export type CreatedKey = z.infer<typeof CreatedKey>;

export const KeyList = z.object({ keys: z.array(KeyView) }).describe('API keys, oldest first');
export type KeyList = z.infer<typeof KeyList>;
