import { z } from 'zod';

/** RFC 9457. `type` resolves to the documentation of the problem. */
export const Problem = z
  .object({
    type: z.string().describe('address of its documentation, relative to the API'),
    title: z.string().describe('what kind of problem it is'),
    status: z.int().min(400).max(599).describe('HTTP status'),
    detail: z.string().optional().describe('what is wrong with this request'),
    instance: z.string().optional().describe('id of the request, as logs name it'),
    code: z.string().describe('the kind, for programs'),
    near: z.array(z.string()).optional().describe('nearest valid words'),
    errors: z
      .array(
        z
          .object({
            pointer: z.string().optional().describe('JSON pointer (RFC 6901) into the request, or into the file'),
            detail: z.string().describe('what is wrong there'),
            line: z.int().min(1).optional().describe('line of the file, from 1'),
            column: z.int().min(1).optional().describe('column of the file, from 1'),
          })
          .describe('one mistake'),
      )
      .optional()
      .describe('each mistake and its place'),
  })
  .meta({ id: 'Problem', description: 'what went wrong and what to do (RFC 9457)' });
export type Problem = z.infer<typeof Problem>;

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** What to do about it; the text of the documentation. */
  readonly help: string;
}

/**
 * The catalogue: every code that an answer may carry, and what HTTP makes of it.
 * docs/problems.md is generated from it.
 */
export const problemKinds = {
  'malformed-request': { status: 400, title: 'The request cannot be read', help: 'Check the encoding of the address and of the body.' },
  'malformed-json': { status: 400, title: 'The body is not JSON', help: 'Send a JSON document as application/json.' },
  'body-too-large': { status: 413, title: 'The body is too large', help: 'Send at most 2 MiB.' },
  'unsupported-media-type': { status: 415, title: 'The body’s type is not supported', help: 'Send application/json.' },
  'idempotency-key-missing': {
    status: 400,
    title: 'Idempotency-Key is required',
    help: 'Send an Idempotency-Key header of 1 to 255 visible characters; use a new one for each new request and the same one when you repeat it.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency-Key was used for another request',
    help: 'Use a new key for a new request; keys are kept for 24 hours.',
  },
  'request-in-flight': { status: 409, title: 'The same request is being handled', help: 'Wait a moment and repeat it with the same key.' },
  'request-invalid': { status: 422, title: 'The request is not valid', help: 'See errors: each names the place by a JSON pointer.' },
  'reference-invalid': { status: 422, title: 'Not a reference', help: 'Write registry/repository:tag or registry/repository@sha256:….' },
  'digest-invalid': { status: 422, title: 'Not a digest', help: 'Write sha256: followed by 64 lower-case hexadecimal digits.' },
  unauthenticated: {
    status: 401,
    title: 'No valid API key',
    help: 'Send Authorization: Bearer with a key that is neither revoked nor expired.',
  },
  forbidden: { status: 403, title: 'The key may not do this', help: 'Ask for a key whose grants cover this verb, path and repository.' },
  'not-found': { status: 404, title: 'Nothing is here', help: 'Look at /api/docs for the routes.' },
  'path-unknown': { status: 404, title: 'No such path', help: 'Use a path of the active topology; near names are listed.' },
  'registry-unknown': { status: 404, title: 'No such registry', help: 'Use a registry of the active topology; near names are listed.' },
  'repository-unknown': { status: 404, title: 'No such repository', help: 'Push the image first, or use a near name.' },
  'tag-unknown': { status: 404, title: 'No such tag', help: 'Push the image first, or use a near name.' },
  'digest-unknown': {
    status: 404,
    title: 'No such manifest',
    help: 'The source registry has no manifest of this digest in this repository.',
  },
  'crawl-unknown': {
    status: 404,
    title: 'No such crawl',
    help: 'List the crawls of the registry to see their ids; old ones are not kept.',
  },
  'registry-not-crawled': {
    status: 409,
    title: 'The registry is not crawled',
    help: 'Caches and upstreams are not looked at; of another registry, give it a location and a crawl in the topology.',
  },
  'check-unknown': { status: 404, title: 'No such check', help: 'Use the id that the creating request answered with.' },
  'promotion-unknown': { status: 404, title: 'No such promotion', help: 'Use the id that the creating request answered with.' },
  'too-many-streams': {
    status: 429,
    title: 'Too many open streams',
    help: 'Close streams that nobody reads, or read the resource from time to time; a stream may be had after Retry-After.',
  },
  'promotion-finished': {
    status: 409,
    title: 'The promotion has ended',
    help: 'Nothing of it is left to stop; to take a release back, promote another one to the same tag where that may move.',
  },
  'promotion-unfinished': {
    status: 409,
    title: 'The promotion is under way',
    help: 'Wait for its end, or cancel it: only then is known what there is to take up again.',
  },
  'nothing-to-retry': {
    status: 409,
    title: 'Nothing is there to try again',
    help: 'Failed and cancelled targets are tried again; after a conflict request a new promotion, which shows what the tag holds now.',
  },
  'path-removed': {
    status: 409,
    title: 'The path is gone',
    help: 'The active topology no longer has the promotion’s path: request a new promotion along another one.',
  },
  'registry-replaced': {
    status: 409,
    title: 'The registry is another one now',
    help: 'Its name means another registry than when the promotion was requested: request it again.',
  },
  'already-paused': {
    status: 409,
    title: 'It is paused already',
    help: 'List the pauses; resume the one that holds to give another reason.',
  },
  'pause-unknown': { status: 404, title: 'No such pause', help: 'List the pauses to see their ids.' },
  'policy-unknown': { status: 404, title: 'No such retention policy', help: 'List the policies: the topology declares them.' },
  'policy-retired': {
    status: 409,
    title: 'The retention policy has left the topology',
    help: 'Its history stays and can be read; declare it again to run it.',
  },
  'policy-paused': { status: 409, title: 'The retention policy is paused already', help: 'Resume it first to give another reason.' },
  'run-unknown': { status: 404, title: 'No such run', help: 'List the runs of the policy to see their ids.' },
  'run-unfinished': {
    status: 409,
    title: 'A run of the policy is under way',
    help: 'Runs of one policy never overlap: wait for its end, or cancel it; detail names it.',
  },
  'plan-not-waiting': {
    status: 409,
    title: 'The plan waits for no approval',
    help: 'Only a plan beyond the limits of its policy waits for one: look at the run.',
  },
  'plan-missing': { status: 409, title: 'The run has no plan', help: 'Wait until it has planned, or have the policy run again.' },
  'plan-outdated': {
    status: 409,
    title: 'The plan is of another policy than there is now',
    help: 'The policy or its registry has changed since: have it run, and look at that plan.',
  },
  'already-approved': {
    status: 409,
    title: 'These very words are approved',
    help: 'Nothing is to be done; revoke the approval to give another reason.',
  },
  'approval-unknown': { status: 404, title: 'No such approval', help: 'List the approvals to see their ids.' },
  'hold-unknown': { status: 404, title: 'No such hold', help: 'List the holds to see their ids.' },
  'not-in-trash': {
    status: 404,
    title: 'Nothing of that is in the trash',
    help: 'List the trash: what was emptied out cannot come back.',
  },
  'restore-unfinished': {
    status: 409,
    title: 'A restore of that is under way',
    help: 'Wait for the end of the restore that detail names.',
  },
  'restore-unknown': { status: 404, title: 'No such restore', help: 'List the restores to see their ids.' },
  'purge-unknown': { status: 404, title: 'No such purge', help: 'List the purges to see their ids.' },
  'nowhere-to-purge': {
    status: 404,
    title: 'The digest was seen in no repository',
    help: 'Name the repository, or crawl the registry first.',
  },
  'needed-by-promotion': {
    status: 409,
    title: 'A promotion under way needs it',
    help: 'Cancel the promotion that detail names, or wait for its end.',
  },
  held: { status: 409, title: 'Somebody holds it', help: 'Release the hold that detail names first.' },
  'tag-in-promotion': {
    status: 409,
    title: 'A promotion is about to write the tag',
    help: 'Wait for the end of the promotion that detail names, or cancel it.',
  },
  'reporter-unknown': { status: 404, title: 'No such reporter', help: 'List the reporters to see their names.' },
  'reporter-taken': {
    status: 409,
    title: 'The reporter’s name belongs to another principal',
    help: 'Report under another name, or with a key of the principal that used it first.',
  },
  'feed-unknown': {
    status: 404,
    title: 'The registry is not listened to',
    help: 'Declare its notifications in the topology, and wait until a worker has seen that.',
  },
  'key-unknown': { status: 404, title: 'No such API key', help: 'List the keys to see their ids.' },
  'no-topology': { status: 409, title: 'No topology is applied', help: 'Run waybill topology apply FILE first.' },
  'no-location': {
    status: 409,
    title: 'The topology has no location',
    help: 'Declare a location: a worker serves registries from where it stands.',
  },
  'source-mismatch': { status: 422, title: 'Not the source of this path', help: 'A path leads from one registry; name a source there.' },
  'not-admitted': {
    status: 422,
    title: 'The path does not carry this',
    help: 'The path’s repositories and tags in the topology say what it carries.',
  },
  'tag-missing': { status: 422, title: 'No tag to write', help: 'Say in tags which tags the targets shall get.' },
  'tag-reserved': { status: 422, title: 'A reserved tag', help: 'Tags of referrers and signatures travel with their subject.' },
  'duplicate-target': { status: 422, title: 'Two items would write one tag', help: 'Ask for two promotions, or other tags.' },
  'target-invalid': {
    status: 422,
    title: 'No target repository',
    help: 'The path’s target template makes no repository name of this source.',
  },
  'tag-immutable': { status: 409, title: 'The tag is immutable and taken', help: 'Promote under a new tag.' },
  'topology-invalid': {
    status: 422,
    title: 'The topology file is not valid',
    help: 'See errors for line and column; nothing was changed.',
  },
  'being-deleted': {
    status: 409,
    title: 'Retention is deleting this',
    help: 'Nothing was recorded. Repeat the request in a minute: if the digest is gone by then, restore it or promote another.',
  },
  'topology-changed': {
    status: 409,
    title: 'The topology changed meanwhile',
    help: 'Repeat the request: it is planned anew, by the revision that is active now. Nothing was recorded.',
  },
  'registry-not-local': {
    status: 409,
    title: 'Not a local registry',
    help: 'Only the address of a registry with local: true is told at run time.',
  },
  'registry-not-collected': {
    status: 409,
    title: 'Waybill does not collect this registry',
    help: 'Only registries with local: true are collected by Waybill; the answer says how others give space back.',
  },
  'already-collecting': {
    status: 409,
    title: 'The registry is being collected already',
    help: 'List its collections, and wait for the end of the one that is unfinished.',
  },
  'collection-unknown': { status: 404, title: 'No such collection', help: 'List the collections of the registry to see their ids.' },
  'pause-of-collection': {
    status: 409,
    title: 'The pause belongs to a collection',
    help: 'It ends with the collection of its registry, which gives up by itself when copies do not end in time.',
  },
  'source-unreachable': {
    status: 503,
    title: 'The source registry cannot be read now',
    help: 'Repeat the request after Retry-After; nothing was recorded.',
  },
  'source-refused': {
    status: 502,
    title: 'The source registry refuses our credentials',
    help: 'Check the registry’s read secret in the topology.',
  },
  'source-broken': { status: 502, title: 'The source registry gave a broken answer', help: 'The manifest cannot be used; see detail.' },
  unavailable: {
    status: 503,
    title: 'A part of Waybill is down',
    help: 'See /health/ready; repeat the request later with the same Idempotency-Key.',
  },
  internal: { status: 500, title: 'Waybill made a mistake', help: 'Look for the request id in the log of the api process.' },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof problemKinds;

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemKinds, code);
}

/** Where a problem is documented, relative to the API's origin. */
export function problemType(code: ProblemCode): string {
  return `/api/docs/problems#${code}`;
}
