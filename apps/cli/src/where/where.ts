import type { Artifact } from '@waybill/contracts/http';
import { isDigest, parseArtifactReference } from '@waybill/oci-model';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { formatBytes } from '../output/format.js';
import { mergePages } from './merge-pages.js';
import { whereTable } from './where-table.js';

export interface WhereOptions {
  /** A repository to look in everywhere. */
  readonly repository?: string;
  readonly json: boolean;
}

/** Says where an artifact is, by its digest or by a reference that names it now; gives the exit status. */
export async function where(api: WaybillApi, named: string, options: WhereOptions, output: Output): Promise<number> {
  const { digest, repository } = await sought(api, named, options);
  const artifact = await mergePages(api.artifact(digest, repository));
  if (options.json) output.json(artifact);
  else printArtifact(artifact, output);
  return exitStatusOf(artifact);
}

/** What a reference names is looked for in its repository everywhere, whether it was ever promoted or not. */
export async function sought(
  api: WaybillApi,
  named: string,
  { repository }: Pick<WhereOptions, 'repository'>,
): Promise<{ readonly digest: string; readonly repository: string | undefined }> {
  if (isDigest(named)) return { digest: named, repository };
  const reference = parseArtifactReference(named);
  const digest = reference.digest ?? (await api.resolveArtifact(named)).digest;
  return { digest, repository: repository ?? reference.repository };
}

function printArtifact(artifact: Artifact, output: Output): void {
  const { digest, mediaType, size, platforms = [], children, parents, referrers } = artifact;
  output.line(digest);
  if (mediaType !== undefined) output.line(`${mediaType}${size === undefined ? '' : `, ${formatBytes(size)}`}`);
  if (platforms.length > 0) {
    output.line(
      `platforms: ${platforms.map(({ os, architecture, variant }) => [os, architecture, variant].filter((part) => part !== undefined).join('/')).join(', ')}`,
    );
  }
  const isKnown = mediaType !== undefined || children.length + parents.length + referrers.length > 0;
  output.line(
    isKnown
      ? `made of ${children.length}, part of ${parents.length}, referred to by ${referrers.length}`
      : 'nothing is on record of it, and no registry showed it',
  );
  output.line();
  output.line(whereTable(artifact));
  for (const note of notesOn(artifact)) output.line(note);
}

/** What a registry said instead of an answer, once each. */
function notesOn({ registries }: Artifact): string[] {
  const notes = registries.flatMap(({ registry, repositories }) =>
    repositories.flatMap(({ detail }) => (detail === undefined ? [] : [`${registry}: ${detail}`])),
  );
  return [...new Set(notes)];
}

/** Not found is said only when a registry was asked, and every one that could have it has answered. */
function exitStatusOf({ registries }: Artifact): number {
  if (registries.some(({ state }) => state === 'present')) return exitStatus.succeeded;
  const isBlind = registries.some(({ state, reason }) => state === 'unknown' && reason !== 'no-repository' && reason !== 'pull-through');
  const isAsked = registries.some(({ state }) => state === 'absent');
  return isBlind || !isAsked ? exitStatus.unfinished : exitStatus.failed;
}
