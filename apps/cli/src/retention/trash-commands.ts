import { ContentError, isDigest, parseArtifactReference } from '@waybill/oci-model';
import { type Command, InvalidArgumentError } from 'commander';
import { purge, type PurgedArtifact, type PurgeOptions, showPurges } from './purge.js';
import type { RetentionSurroundings } from './surroundings.js';
import { listTrash, type ListTrashOptions, restore, type RestoreOptions, showRestores, type TrashedArtifact } from './trash.js';

const json = ['--json', 'print the result, or the error, as JSON on standard output', false] as const;
const limit = ['--limit <number>', 'how many to list', count, 50] as const;

/** What was deleted and can come back. */
export function trashCommands(retention: Command, { api, stop, run }: RetentionSurroundings): void {
  retention
    .command('trash')
    .description('list what was deleted and can come back, newest first')
    .argument('[artifact]', 'registry/repository, with :tag or @digest for one', trashed)
    .option('--run <id>', 'only what this run deleted')
    .option('--history', 'also what came back, and what was emptied out', false)
    .option(...limit)
    .option(...json)
    .action((artifact: TrashedArtifact | undefined, options: ListTrashOptions) =>
      run(options, (output) => listTrash(api(), artifact, options, output)),
    );
  retention
    .command('restore')
    .description('bring something deleted back, with all beneath it and all that referred to it')
    .argument('[artifact]', 'registry/repository with :tag or @digest', trashed)
    .requiredOption('--reason <text>', 'why')
    .option('--run <id>', 'all that this run deleted')
    .option('--wait', 'wait for its end', false)
    .option(...json)
    .addHelpText('after', '\nExample:\n  waybill retention restore prod/team-a/app:1.4.0 --reason "deleted by mistake"')
    .action((artifact: TrashedArtifact | undefined, options: RestoreOptions) =>
      run(options, (output) => restore(api(), artifact, { ...options, signal: stop }, output)),
    );
  retention
    .command('restores')
    .description('list the restores, or show one and what did not come back as it was')
    .argument('[restore]', 'its id')
    .option(...limit)
    .option(...json)
    .action((id: string | undefined, options: { readonly limit: number; readonly json: boolean }) =>
      run(options, (output) => showRestores(api(), id, options, output)),
    );
  retention
    .command('purge')
    .description('delete a digest at once and for good, from the trash too: for leaked secrets and what was revoked')
    .argument('<artifact>', 'registry/repository@digest, or registry@digest for all of its repositories', purged)
    .requiredOption('--reason <text>', 'why')
    .option('--wait', 'wait for its end', false)
    .option(...json)
    .addHelpText('after', '\nExample:\n  waybill retention purge prod/team-a/app@sha256:… --reason "a key leaked"')
    .action((artifact: PurgedArtifact, options: PurgeOptions) =>
      run(options, (output) => purge(api(), artifact, { ...options, signal: stop }, output)),
    );
  retention
    .command('purges')
    .description('list the purges, or show one and what is not gone')
    .argument('[purge]', 'its id')
    .option(...limit)
    .option(...json)
    .action((id: string | undefined, options: { readonly limit: number; readonly json: boolean }) =>
      run(options, (output) => showPurges(api(), id, options, output)),
    );
}

/** A tag is no name for what has to go: somebody may move it at any time. */
function purged(text: string): PurgedArtifact {
  const [registry = '', digest = ''] = text.split('@', 2);
  if (!registry.includes('/') && registry !== '' && isDigest(digest)) return { registry, digest };
  const artifact = trashed(text);
  if (artifact.registry !== undefined && artifact.digest !== undefined) {
    return { ...artifact, registry: artifact.registry, digest: artifact.digest };
  }
  throw new InvalidArgumentError('expected registry/repository@digest, or registry@digest');
}

function trashed(text: string): TrashedArtifact {
  try {
    const { tag, ...artifact } = parseArtifactReference(text);
    return artifact.digest !== undefined || tag === undefined ? artifact : { ...artifact, tag };
  } catch (error) {
    if (error instanceof ContentError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

function count(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 200) return number;
  throw new InvalidArgumentError('expected a number from 1 to 200');
}
