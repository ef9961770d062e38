import { z } from 'zod';
import { Cursor, Id, Page, Text, Timestamp } from './primitives.js';

/** The verbs of the access library, for clients. */
export const verbNames = [
  'promotions:create',
  'promotions:read',
  'promotions:cancel',
  'promotions:retry',
  'pauses:manage',
  'artifacts:read',
  'retention:read',
  'retention:run',
  'retention:approve',
  'retention:hold',
  'retention:restore',
  'retention:purge',
  'in-use:report',
  'topology:read',
  'topology:apply',
  'registries:locate',
  'registries:check',
  'registries:collect',
  'keys:manage',
  'metrics:read',
] as const;

/** The access library's grammar of patterns, coarsely: what it cannot mean is refused rather than kept as a pattern that matches nothing. */
const pathPattern = z
  .string()
  .max(100)
  .regex(/^[a-z0-9*?-]+$/, 'not a pattern: lower-case letters, digits, "-", "*" and "?"');
const repositoryPattern = z
  .string()
  .max(255)
  .regex(/^[a-z0-9._*?-]+(?:\/[a-z0-9._*?-]+)*$/, 'not a pattern: segments of a repository name with "*" and "?", joined by "/"')
  .refine(
    (pattern) => pattern.split('/').every((segment) => segment === '**' || !segment.includes('**')),
    '"**" must stand alone between slashes',
  );

export const Grant = z
  .strictObject({
    verbs: z.array(z.enum(verbNames)).min(1).describe('what may be done'),
    paths: z.array(pathPattern).min(1).max(100).describe('patterns over names of paths; `*` is every path'),
    repositories: z.array(repositoryPattern).min(1).max(100).describe('patterns over source repositories; `**` is every repository'),
  })
  .meta({ id: 'Grant', description: 'verbs × paths × repositories' });

export const CreateKey = z
  .strictObject({
    subject: Text(255).min(1).describe('name of the service that will use the key'),
    grants: z.array(Grant).min(1).max(50).describe('what the key may do; no more than the key that makes it'),
    expiresAt: Timestamp.optional().describe('when it stops working; never when absent'),
  })
  .meta({ id: 'CreateKey', description: 'makes an API key' });
export type CreateKey = z.infer<typeof CreateKey>;

export const KeyView = z
  .object({
    id: Id,
    principal: z
      .object({
        id: Id,
        kind: z.string().describe('person, service or ci-workload'),
        issuer: z.string().describe('who vouches for the subject'),
        subject: z.string().describe('who it is, in the issuer’s words'),
      })
      .describe('who acts with it'),
    grants: z.array(Grant).describe('what it may do'),
    createdAt: Timestamp.describe('when it was made'),
    expiresAt: Timestamp.optional().describe('when it stops working'),
    revokedAt: Timestamp.optional().describe('when it was revoked'),
  })
  .meta({ id: 'Key', description: 'an API key without its secret' });
export type KeyView = z.infer<typeof KeyView>;

export const CreatedKey = z
  .object({
    key: z.string().optional().describe('shown once, not when the request is repeated; only a hash is kept'),
    details: KeyView.describe('what is known of it from now on'),
  })
  .meta({ id: 'CreatedKey', description: 'a new API key' });
export type CreatedKey = z.infer<typeof CreatedKey>;

export const KeyList = z
  .object({
    keys: z.array(KeyView).describe('revoked and expired ones included'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'KeyList', description: 'API keys, oldest first' });
export type KeyList = z.infer<typeof KeyList>;

export const ListKeys = Page;
export type ListKeys = z.infer<typeof ListKeys>;
