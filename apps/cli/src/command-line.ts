import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { promotionStateNames } from '@waybill/contracts/http';
import { type Environment, environmentAndFolderSecrets, loadClientConfig, loadSecretsConfig } from '@waybill/config';
import { isDigest } from '@waybill/oci-model';
import { RegistryClients } from '@waybill/registry-clients';
import { WaybillApi } from './api-client/waybill-api.js';
import { collectCommands } from './collect/collect-commands.js';
import { controlCommands } from './control/control-commands.js';
import { Interruption } from './interruption.js';
import { inventoryCommands } from './inventory/inventory-commands.js';
import { keysCommands } from './keys/keys-commands.js';
import { consoleOutput, type Output, type Streams } from './output/console-output.js';
import { exitStatus } from './output/exit-status.js';
import { reportError } from './output/report-error.js';
import { promote } from './promote/promote.js';
import { showProvenance } from './provenance/provenance.js';
import { retentionCommands } from './retention/retention-commands.js';
import { parseMoment } from './status/moment.js';
import { status } from './status/status.js';
import { checkTopology } from './topology/check-topology.js';
import { checkTopologyFile } from './topology/check-topology-file.js';
import { diffTopology, type DiffTopologyOptions } from './topology/diff-topology.js';
import { applyTopology, showTopology, validateTopology } from './topology/topology-commands.js';
import { defaultDataFolder, recallApiAddress } from './up/api-address.js';
import { up } from './up/up.js';
import { where } from './where/where.js';

/** What the command line has around it. */
export interface Surroundings extends Streams {
  /** The repository's root, built. */
  readonly root: string;
  readonly version: string;
  /** Aborted with an Interruption when the command shall end. */
  readonly stop: AbortSignal;
  /** A person's keyboard; absent where nobody can be asked. */
  readonly keyboard?: NodeJS.ReadableStream | undefined;
  /** Default: the process's own. */
  readonly environment?: Environment;
}

interface JsonOption {
  readonly json: boolean;
}

type Run = (options: JsonOption, command: (output: Output) => Promise<number>) => Promise<void>;

const json = ['--json', 'print the result, or the error, as JSON on standard output', false] as const;

const defaultApiUrl = 'http://127.0.0.1:8080';

const exitStatusHelp = `
Exit status:
  0  done                       3  partial: some targets failed
  1  failed                     4  superseded by a newer promotion
  2  wrong usage                5  not finished yet, or not known (status, topology check, where)
  6  cancelled                  7  rejected
  128 and the signal's number when interrupted, e.g. 130 by Ctrl-C`;

const whereHelp = `
Exit status:
  0  it is somewhere
  1  it is nowhere: every registry that was asked said so
  5  it was not found, and a registry could not be asked, or none was`;

const environmentHelp = `
Environment:
  WAYBILL_API_URL  where the API is (default: that of "waybill up" in this folder, else http://127.0.0.1:8080)
  WAYBILL_API_KEY  the key to show to it`;

/** Runs the command that the arguments name; gives the exit status, and never rejects. */
export async function runCommandLine(args: readonly string[], surroundings: Surroundings): Promise<number> {
  let status: number = exitStatus.succeeded;
  const run: Run = async (options, command) => {
    const output = consoleOutput(surroundings, options);
    try {
      status = await command(output);
    } catch (error) {
      const interruption = interruptionIn(error, surroundings.stop);
      status = interruption?.exitStatus ?? exitStatus.failed;
      if (interruption === undefined) reportError(error, output, options);
    }
  };
  try {
    await program(surroundings, run).parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version are asked for with success; help without a command is not.
    return error.exitCode === 0 ? exitStatus.succeeded : exitStatus.usage;
  }
  return status;
}

/** What waits on a signal rejects with its reason, or with an AbortError in its place (Node's timers). */
function interruptionIn(error: unknown, { reason }: AbortSignal): Interruption | undefined {
  if (error instanceof Interruption) return error;
  return isAbortError(error) && reason instanceof Interruption ? reason : undefined;
}

function isAbortError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
}

function program(surroundings: Surroundings, run: Run): Command {
  const { version, stdout, stderr } = surroundings;
  const waybill = new Command('waybill')
    .description("Runs a company's container registries as one system.")
    .version(version, '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => void stdout.write(text), writeErr: (text) => void stderr.write(text) })
    .showHelpAfterError('(add --help for the options)')
    .addHelpText('after', `${environmentHelp}\n${exitStatusHelp}`);
  upCommand(waybill, surroundings, run);
  promotionCommands(waybill, surroundings, run);
  const { environment, stop, keyboard } = surroundings;
  controlCommands(waybill, { api: () => connect(environment, stop), stop, keyboard, run });
  collectCommands(waybill, { api: () => connect(environment, stop), stop, run });
  inventoryCommands(waybill, { api: () => connect(environment, stop), stop, run });
  retentionCommands(waybill, { api: () => connect(environment, stop), stop, run });
  provenanceCommand(waybill, surroundings, run);
  whereCommand(waybill, surroundings, run);
  topologyCommands(waybill, surroundings, run);
  keysCommands(waybill, { api: () => connect(environment, stop), run });
  return waybill;
}

function upCommand(waybill: Command, { root, version, stop, environment }: Surroundings, run: Run): void {
  waybill
    .command('up')
    .description('start everything on this machine and promote an image through it')
    .option('--topology <file>', 'topology file (default: topology.yaml here, else the example)')
    .option('--data <folder>', 'where data is kept', defaultDataFolder)
    .option('--port <number>', 'wanted port of the API (default: WAYBILL_API_PORT, else that of the last start, else 8080)', portNumber)
    .option('--image <reference|layout>', 'promote this image: registry/repository:tag, or the folder of an OCI layout[:tag]')
    .option('--once', 'end after the promotion', false)
    .option(...json)
    .action((options: Omit<Parameters<typeof up>[0], 'root' | 'version' | 'signal'>) =>
      run(options, (output) => up({ ...options, root, version, environment, signal: stop }, output)),
    );
}

function promotionCommands(waybill: Command, { stop, keyboard, environment }: Surroundings, run: Run): void {
  const api = (): WaybillApi => connect(environment, stop);
  waybill
    .command('promote')
    .description('ask for a promotion')
    .argument('<source...>', 'registry/repository:tag or registry/repository@digest')
    .requiredOption('--path <name>', 'path of the topology')
    .option('--tag <tag...>', 'tags to write at the targets (default: the source tag)')
    .option('--reason <text>', 'why')
    .option('--label <key=value...>', 'labels to keep with it', labels)
    .option('--external-ref <text>', 'a name in another system, e.g. of the pipeline run')
    .option('--idempotency-key <key>', 'makes a repetition of this command safe', filled)
    .option('--wait', 'wait until every target is done, replicas included', false)
    .option('--dry-run', 'say what it would do, cost and meet, and ask for nothing', false)
    .option(...json)
    .addHelpText('after', '\nExample:\n  waybill promote ci-snapshots/team-a/app:1.4.0 --path release --wait')
    .action((sources: string[], options: Parameters<typeof promote>[2]) =>
      run(options, (output) => promote(api(), sources, { ...options, signal: stop, keyboard }, output)),
    );
  waybill
    .command('status')
    .description('show a promotion, or the newest ones')
    .argument('[promotion]', 'its id')
    .option('--watch', 'follow it to its end; without an id, tell what happens to all until Ctrl-C', false)
    .option('--limit <number>', 'how many to list', limit, 20)
    .addOption(new Option('--state <state>', 'list those in this state').choices(promotionStateNames))
    .option('--path <name>', 'list those along this path')
    .option('--repository <name>', 'list those that bring something from or to this repository')
    .option('--digest <digest>', 'list those that bring this digest', digest)
    .option('--tag <tag>', 'list those that write this tag, or were asked for by it')
    .option('--by <principal>', 'list those that this principal asked for: its name, issuer/name, or id')
    .option(
      '--since <time>',
      'list those requested at this time or later: 2026-05-01T10:00:00Z, 2026-05-01, or as long ago as 72h or 7d',
      moment,
    )
    .option('--until <time>', 'list those requested before this time', moment)
    .option(...json)
    .action((id: string | undefined, options: Parameters<typeof status>[2]) =>
      run(options, (output) => status(api(), id, { ...options, signal: stop, keyboard }, output)),
    );
}

function provenanceCommand(waybill: Command, { stop, environment }: Surroundings, run: Run): void {
  waybill
    .command('provenance')
    .description('show what was done with an artifact, and what was decided about it')
    .argument('<digest>', 'of its manifest or index: sha256: and 64 hexadecimal digits', digest)
    .option(...json)
    .action((about: string, options: JsonOption) =>
      run(options, (output) => showProvenance(connect(environment, stop), about, options, output)),
    );
}

function whereCommand(waybill: Command, { stop, environment }: Surroundings, run: Run): void {
  waybill
    .command('where')
    .description('look into every registry for an artifact')
    .argument('<artifact>', 'its digest, or registry/repository:tag')
    .option('--repository <name>', 'look in this repository of every registry too (default: that of the reference)')
    .option(...json)
    .addHelpText('after', whereHelp)
    .action((named: string, options: Parameters<typeof where>[2]) =>
      run(options, (output) => where(connect(environment, stop), named, options, output)),
    );
}

function topologyCommands(waybill: Command, { stop, environment }: Surroundings, run: Run): void {
  const api = (): WaybillApi => connect(environment, stop);
  const topology = waybill.command('topology').description('check, apply and show the topology');
  topology
    .command('validate')
    .description('check a file, without any server')
    .argument('<file>')
    .option(...json)
    .action((file: string, options: JsonOption) => run(options, (output) => validateTopology(file, options, output)));
  topology
    .command('apply')
    .description('make a file the active revision')
    .argument('<file>')
    .option(...json)
    .action((file: string, options: JsonOption) => run(options, (output) => applyTopology(api(), file, options, output)));
  topology
    .command('diff')
    .description('show what a file would change, and what that means')
    .argument('<file>')
    .option('--from <file>', 'compare with this file, without any server (default: the active revision)')
    .option(...json)
    .action((file: string, options: DiffTopologyOptions) => run(options, (output) => diffTopology(api, file, options, output)));
  topology
    .command('check')
    .description('probe registries live: credentials, writing, deleting, and what else they can')
    .argument('[registry...]', 'names (default: all of the active revision)')
    .option('--file <file>', 'check the registries of this file, from this machine and without any server')
    .option('--timeout <seconds>', 'how long to wait', seconds, 300)
    .option(...json)
    .action((names: string[], { file, ...options }: JsonOption & { readonly timeout: number; readonly file?: string }) =>
      run(options, (output) =>
        file === undefined
          ? checkTopology(api(), names, { ...options, signal: stop }, output)
          : withClients(environment, (clients) => checkTopologyFile(file, names, { ...options, clients, signal: stop }, output)),
      ),
    );
  topology
    .command('show')
    .description('show the active revision')
    .option(...json)
    .action((options: JsonOption) => run(options, (output) => showTopology(api(), options, output)));
}

function connect(environment: Environment | undefined, signal: AbortSignal): WaybillApi {
  const { apiUrl, apiKey } = loadClientConfig(environment);
  return new WaybillApi({ url: apiUrl ?? recallApiAddress(defaultDataFolder)?.url ?? defaultApiUrl, key: apiKey, signal });
}

/** Clients of registries with the secrets of this process. */
async function withClients<T>(environment: Environment | undefined, work: (clients: RegistryClients) => Promise<T>): Promise<T> {
  const clients = new RegistryClients({ secrets: environmentAndFolderSecrets(loadSecretsConfig(environment), environment) });
  try {
    return await work(clients);
  } finally {
    clients.close();
  }
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('expected a port from 0 to 65535');
}

function seconds(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= 3600) return count;
  throw new InvalidArgumentError('expected seconds from 1 to 3600');
}

function digest(text: string): string {
  if (isDigest(text)) return text;
  throw new InvalidArgumentError('expected sha256: and 64 lower-case hexadecimal digits');
}

function filled(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('expected something');
}

function limit(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= 200) return count;
  throw new InvalidArgumentError('expected a number from 1 to 200');
}

function moment(text: string): Date {
  const found = parseMoment(text, new Date());
  if (found !== undefined) return found;
  throw new InvalidArgumentError('expected a time such as 2026-05-01T10:00:00Z or 2026-05-01, or how long ago, such as 72h or 7d');
}

function labels(text: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('expected key=value');
  return { ...earlier, [text.slice(0, equals)]: text.slice(equals + 1) };
}
