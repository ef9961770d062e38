import type { Artifact } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { formatBytes } from '../output/format.js';
import { drawTable } from '../output/table.js';
import { mergePages } from '../where/merge-pages.js';
import { sought } from '../where/where.js';
import { whereTable } from '../where/where-table.js';
import { platformText, shortType } from './list-artifacts.js';

type Known = NonNullable<Artifact['inventory']>;

/** Shows what is known of an artifact and what hangs together with it, and where it is now; gives the exit status. */
export async function showArtifact(api: WaybillApi, named: string, { json }: { readonly json: boolean }, output: Output): Promise<number> {
  const { digest, repository } = await sought(api, named, {});
  const artifact = await mergePages(api.artifact(digest, repository));
  if (json) output.json(artifact);
  else for (const line of linesOf(artifact)) output.line(line);
  return exitStatus.succeeded;
}

function linesOf(artifact: Artifact): string[] {
  const { digest, mediaType, size, inventory = { blobs: [], referrers: [] }, parents, children } = artifact;
  const blobs = new Set(inventory.blobs.map((blob) => blob.digest));
  return [
    digest,
    mediaType === undefined
      ? 'nothing is on record of it, and no registry showed it'
      : `${mediaType}${size === undefined ? '' : `, ${formatBytes(size)}`}`,
    ...factLines(inventory.facts),
    ...section('where', whereTable(artifact)),
    ...list(
      'part of',
      parents.map((one) => [one.digest, shortType(one.mediaType)]),
    ),
    ...list(
      'manifests in it',
      children.filter((one) => !blobs.has(one.digest)).map((one) => [one.digest, shortType(one.mediaType)]),
    ),
    ...list('blobs', inventory.blobs.map(blobRow)),
    ...list(
      'referred to by',
      inventory.referrers.map((one) => [one.digest, shortType(one.artifactType ?? one.mediaType), one.ways.join(', ')]),
    ),
  ];
}

function factLines(facts: Known['facts']): string[] {
  if (facts === undefined) return ['no crawl has read its manifest'];
  const { artifactType, createdAt, createdProblem, platforms, annotations, subject, unreadable } = facts;
  return [
    ...(artifactType === undefined ? [] : [`is: ${artifactType}`]),
    `created: ${createdAt ?? createdProblem ?? 'unknown'}`,
    ...(platforms.length === 0 ? [] : [`for: ${platforms.map(platformText).join(', ')}`]),
    ...(subject === undefined ? [] : [`refers to: ${subject}`]),
    ...(unreadable === undefined ? [] : [`is not understood: ${unreadable}`]),
    ...Object.entries(annotations).map(([key, value]) => `${key}=${value}`),
  ];
}

function blobRow({ digest, mediaType, size, sharing }: Known['blobs'][number]): string[] {
  const others = sharing >= 10 ? '10 or more others' : `${sharing} others`;
  return [digest, shortType(mediaType), formatBytes(size), sharing === 0 ? '' : `shared with ${others}`];
}

function list(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : section(title, drawTable([], rows));
}

function section(title: string, table: string): string[] {
  return ['', `${title}:`, table];
}
