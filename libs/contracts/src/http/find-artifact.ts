import { z } from 'zod';
import { manifestFacts } from './inventory.js';
import { RepositoryText } from './list-promotions.js';
import { Bytes, Count, Cursor, DigestText, Id, Page, TagText, Timestamp } from './primitives.js';

/** What a look at a registry found. An error is never absence. */
export const presenceNames = ['present', 'absent', 'unknown'] as const;

/** Why a registry does not say whether something is there. */
export const blindnessNames = [
  'unreachable',
  'unavailable',
  'unauthorized',
  'rate-limited',
  'deadline',
  'broken-answer',
  'no-repository',
  'pull-through',
] as const;

const Presence = z.enum(presenceNames);
const Blindness = z
  .enum(blindnessNames)
  .describe(
    'unreachable: no connection; unavailable: it answers with errors; unauthorized: it takes our credentials for too little; rate-limited; deadline: no answer in time; broken-answer: one that cannot be believed; no-repository: no repository is known to look in, name one; pull-through: a look would fetch it',
  );
const Detail = z.string().describe('what the registry said, for people');

export const ContentFacts = z
  .object({ digest: DigestText, mediaType: z.string().describe('media type'), size: Bytes })
  .meta({ id: 'ContentFacts', description: 'a manifest or blob' });

export const ArtifactTag = z
  .object({
    tag: TagText,
    recorded: DigestText.optional().describe('what it was last known to name; absent when it was gone'),
    state: z.enum(['names-it', 'moved', 'gone', 'unknown']).describe('what it names now'),
    names: DigestText.optional().describe('of one that moved: what it names now'),
    reason: Blindness.optional(),
  })
  .meta({ id: 'ArtifactTag', description: 'a tag that names the digest, or did' });

export const ArtifactPlace = z
  .object({
    repository: z.string().describe('repository, without the registry’s prefix'),
    state: Presence.describe('present when its bytes were read now'),
    reason: Blindness.optional(),
    detail: Detail.optional(),
    record: z
      .enum(['placement', 'effect', 'source', 'none'])
      .describe('how it is known: a run saw it there, one meant to write it there, it was promoted from there, or not at all'),
    since: Timestamp.optional().describe('when a run first saw it there'),
    until: Timestamp.optional().describe('until when it was there, if it is known to have gone'),
    lastSeen: Timestamp.optional().describe('when it was last known to be there, before now'),
    promotionId: Id.optional().describe('the promotion that brought it, else the newest one from there; absent if the key may not read it'),
    deletion: z
      .object({
        at: Timestamp.describe('when it was known to be gone'),
        runId: Id.describe('the run of retention'),
        policy: z.string().describe('whose run it was'),
        approvalId: Id.optional().describe('the approval of the policy that the run acted on'),
      })
      .optional()
      .describe('what deleted it, where nothing was seen to bring it back since'),
    tags: z.array(ArtifactTag).describe('at most 20 that name it, or did'),
  })
  .meta({ id: 'ArtifactPlace', description: 'a repository that was looked in' });

export const ArtifactRegistry = z
  .object({
    registry: z.string().describe('name of a registry of the active topology'),
    role: z.string().describe('what it is for'),
    location: z.string().optional().describe('where it stands'),
    state: Presence.describe('present if it is in one of the repositories, absent if it is in none that was looked in'),
    reason: Blindness.optional(),
    repositories: z.array(ArtifactPlace).describe('those on this page'),
  })
  .meta({ id: 'ArtifactRegistry', description: 'a registry and where in it the artifact is' });

const Relatives = z.array(ContentFacts);

export const KnownBlob = z
  .object({
    digest: DigestText,
    mediaType: z.string().describe('media type'),
    size: Bytes,
    sharing: Count.describe('other manifests that name it, too, in repositories that the key may read; counted up to 10'),
  })
  .meta({ id: 'KnownBlob', description: 'a blob that a manifest names itself' });

export const KnownReferrer = z
  .object({
    digest: DigestText,
    mediaType: z.string().describe('media type'),
    size: Bytes,
    artifactType: z.string().optional().describe('what it is, if its manifest says so'),
    ways: z
      .array(z.enum(['subject', 'fallback-tag', 'cosign-tag']))
      .describe(
        'how that is known. subject: its manifest says so, which registries list by the referrers API; fallback-tag, cosign-tag: it stands, or stood, under such a tag',
      ),
  })
  .meta({ id: 'KnownReferrer', description: 'what refers to an artifact' });

export const ArtifactInventory = z
  .object({
    facts: z.object(manifestFacts).optional().describe('what its manifest says of itself; absent until a crawl has read it'),
    blobs: z.array(KnownBlob).describe('that it names itself; at most 100'),
    referrers: z.array(KnownReferrer).describe('in repositories that the key may read; at most 100'),
  })
  .meta({ id: 'ArtifactInventory', description: 'what the inventory knows of an artifact, wherever it is' });
export type ArtifactInventory = z.infer<typeof ArtifactInventory>;

export const Artifact = z
  .object({
    digest: DigestText.describe('what was asked about'),
    lookedAt: Timestamp.describe('when the registries were asked'),
    mediaType: z.string().optional().describe('absent when nobody has seen it'),
    size: Bytes.optional(),
    artifactType: z.string().optional().describe('what it is, if its manifest says so'),
    subject: DigestText.optional().describe('what it refers to'),
    platforms: z
      .array(
        z
          .object({
            digest: DigestText,
            os: z.string().describe('operating system'),
            architecture: z.string().describe('processor'),
            variant: z.string().optional().describe('kind of processor'),
          })
          .describe('one platform'),
      )
      .optional()
      .describe('of an index: at most 100'),
    children: Relatives.describe('what it is made of, directly; at most 100'),
    parents: Relatives.describe('what it is part of, as seen in these repositories; at most 100'),
    referrers: Relatives.describe('what refers to it, as seen in these repositories; at most 100'),
    inventory: ArtifactInventory.optional().describe('on the first page'),
    registries: z
      .array(ArtifactRegistry)
      .describe('all of the active topology on the first page, those with more repositories on the others'),
    next: Cursor.optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'Artifact', description: 'an artifact and where it is' });
export type Artifact = z.infer<typeof Artifact>;

export const FindArtifact = Page.extend({
  repository: RepositoryText.optional().describe('look in this repository of every registry too, known or not'),
});
export type FindArtifact = z.infer<typeof FindArtifact>;

export const ResolveArtifact = z.strictObject({
  reference: z.string().min(1).max(600).describe('registry/repository:tag or registry/repository@digest, by the topology’s names'),
});
export type ResolveArtifact = z.infer<typeof ResolveArtifact>;

export const ResolvedArtifact = z
  .object({
    registry: z.string().describe('name of the registry'),
    repository: z.string().describe('repository in it'),
    tag: TagText.optional(),
    digest: DigestText.describe('what the reference names now'),
    mediaType: z.string().describe('media type of the manifest'),
    size: Bytes,
  })
  .meta({ id: 'ResolvedArtifact', description: 'what a reference names now' });
export type ResolvedArtifact = z.infer<typeof ResolvedArtifact>;
