import { repositoryStateNames } from '@waybill/contracts/http';
import { parseArtifactReference } from '@waybill/oci-model';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RepositoryAt } from '../api-client/inventory-api.js';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { crawl, type CrawlOptions, listCrawls } from './crawl.js';
import { listArtifacts, type ListArtifactsOptions } from './list-artifacts.js';
import { listRegistries } from './list-registries.js';
import { listRepositories, type ListRepositoriesOptions } from './list-repositories.js';
import { listTags, type ListTagsOptions, showTagHistory } from './list-tags.js';
import type { ListingOptions } from './print-listing.js';
import { searchInventory, type SearchOptions } from './search-inventory.js';
import { showArtifact } from './show-artifact.js';

export interface InventorySurroundings {
  readonly api: () => WaybillApi;
  readonly stop: AbortSignal;
  readonly run: (options: { readonly json: boolean }, command: (output: Output) => Promise<number>) => Promise<void>;
}

const json = ['--json', 'print the result, or the error, as JSON on standard output; with --all one row a line', false] as const;
const limit = ['--limit <number>', 'how many to list', count, 50] as const;
const all = ['--all', 'list all of them, page by page', false] as const;

const searchHelp = `
A * at the end of a repository or a tag stands for anything; all that is given must hold.

Examples:
  waybill inventory search --tag '1.4.*' --repository 'team-a/*'
  waybill inventory search --annotation org.opencontainers.image.revision=4f2a9c1
  waybill inventory search --digest sha256:4f2a9c1`;

/** What registries hold, as it was seen last: no registry is asked. */
export function inventoryCommands(waybill: Command, surroundings: InventorySurroundings): void {
  const inventory = waybill.command('inventory').description('list and search what the registries hold, as it was seen last');
  registryCommands(inventory, surroundings);
  repositoryCommands(inventory, surroundings);
  artifactCommand(inventory, surroundings);
  crawlCommands(inventory, surroundings);
}

function registryCommands(inventory: Command, { api, run }: InventorySurroundings): void {
  inventory
    .command('registries')
    .description('list the registries, and when each was last looked at')
    .option(...json)
    .action((options: { readonly json: boolean }) => run(options, (output) => listRegistries(api(), options, output)));
  inventory
    .command('repositories')
    .description('list the repositories of a registry, with those that are gone or could not be looked at')
    .argument('<registry>', 'its name')
    .option('--prefix <text>', 'only those whose names begin so')
    .addOption(new Option('--state <state>', 'only those in this state').choices(repositoryStateNames))
    .option(...limit)
    .option(...all)
    .option(...json)
    .action((registry: string, options: ListRepositoriesOptions) =>
      run(options, (output) => listRepositories(api(), registry, options, output)),
    );
  inventory
    .command('search')
    .description('search all registries')
    .option('--repository <name>', 'name of a repository')
    .option('--tag <name>', 'name of a tag')
    .option('--annotation <key=value>', 'annotation of a manifest')
    .option('--digest <digits>', 'how a digest begins, with its algorithm or at least four digits')
    .option(...limit)
    .option(...all)
    .option(...json)
    .addHelpText('after', searchHelp)
    .action((options: SearchOptions) => run(options, (output) => searchInventory(api(), options, output)));
}

function repositoryCommands(inventory: Command, { api, run }: InventorySurroundings): void {
  inventory
    .command('tags')
    .description('list the tags of a repository, or what one tag named')
    .argument('<repository>', 'registry/repository; registry/repository:tag for the history of a tag', reference)
    .option('--prefix <text>', 'only those whose names begin so')
    .option('--reserved', 'those too of cosign and of the fallback for referrers', false)
    .option(...limit)
    .option(...all)
    .option(...json)
    .addHelpText(
      'after',
      '\nExamples:\n  waybill inventory tags prod/team-a/app --prefix 1.4.\n  waybill inventory tags prod/team-a/app:latest',
    )
    .action(({ tag, ...at }: RepositoryAt & { readonly tag?: string }, options: ListTagsOptions) =>
      run(options, (output) =>
        tag === undefined ? listTags(api(), at, options, output) : showTagHistory(api(), { ...at, tag }, options, output),
      ),
    );
  inventory
    .command('artifacts')
    .description('list the manifests of a repository')
    .argument('<repository>', 'registry/repository', repository)
    .option('--tagged', 'only those that a tag names', false)
    .option('--untagged', 'only those that no tag names', false)
    .option(...limit)
    .option(...all)
    .option(...json)
    .action((at: RepositoryAt, options: ListArtifactsOptions) => run(options, (output) => listArtifacts(api(), at, options, output)));
}

function artifactCommand(inventory: Command, { api, run }: InventorySurroundings): void {
  inventory
    .command('show')
    .description('show what is known of an artifact: what it is, where, what is in it and what refers to it')
    .argument('<artifact>', 'its digest, or registry/repository:tag')
    .option(...json)
    .addHelpText('after', '\nIts registries are asked where it is, as by: waybill where')
    .action((named: string, options: { readonly json: boolean }) => run(options, (output) => showArtifact(api(), named, options, output)));
}

function crawlCommands(inventory: Command, { api, stop, run }: InventorySurroundings): void {
  inventory
    .command('crawl')
    .description('have a registry looked at now')
    .argument('<registry>', 'its name')
    .option('--full', 'ask for every tag, which shows those that were moved; else only lists are read', false)
    .option('--wait', 'wait until it is over', false)
    .option(...json)
    .action((registry: string, options: CrawlOptions) =>
      run(options, (output) => crawl(api(), registry, { ...options, signal: stop }, output)),
    );
  inventory
    .command('crawls')
    .description('list the crawls of a registry, newest first')
    .argument('<registry>', 'its name')
    .option(...limit)
    .option(...all)
    .option(...json)
    .action((registry: string, options: ListingOptions) => run(options, (output) => listCrawls(api(), registry, options, output)));
}

function reference(text: string): RepositoryAt & { readonly tag?: string } {
  const { registry, repository: name, tag, digest } = parsed(text);
  if (digest !== undefined) throw new InvalidArgumentError('expected registry/repository or registry/repository:tag');
  return { registry, repository: name, ...(tag === undefined ? {} : { tag }) };
}

function repository(text: string): RepositoryAt {
  const { tag, ...at } = reference(text);
  if (tag !== undefined) throw new InvalidArgumentError('expected registry/repository');
  return at;
}

function parsed(text: string): ReturnType<typeof parseArtifactReference> {
  try {
    return parseArtifactReference(text);
  } catch {
    throw new InvalidArgumentError('expected registry/repository, e.g. prod/team-a/app');
  }
}

function count(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 10_000) return number;
  throw new InvalidArgumentError('expected a number from 1 to 10000; see --all');
}
