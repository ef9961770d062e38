import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Environment, inheritedEnvironment } from '@waybill/config';
import { WaybillError } from '@waybill/kernel';
import type { Topology } from '@waybill/topology';
import { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus, exitStatusOf } from '../output/exit-status.js';
import { roundSeconds } from '../output/format.js';
import { type Progress, progressOn } from '../output/progress.js';
import { messageOf } from '../system-error.js';
import { PackError } from '../pack-image/pack-error.js';
import { readTopologyFile, type TopologyFile, warningLines } from '../topology/read-topology-file.js';
import { addressesOf, announceAddresses, announceParts, firstLines } from './announce.js';
import { recallApiAddress, rememberApiAddress } from './api-address.js';
import { checkEnvironment } from './check-environment.js';
import { type DataFolder, lackOfSpace, openDataFolder } from './data-folder.js';
import { type DeclaredTopology, declareTopology } from './declare-topology.js';
import { type Demonstrated, demonstrate } from './demonstrate.js';
import { DemonstrationError, type DemonstrationPlan, planGivenImage, planLayout } from './demonstration-image.js';
import { demonstrationSubject, makeDemonstrationKey, revokeLeftoverKeys } from './demonstration-key.js';
import { FirstFailure } from './first-failure.js';
import { keepLocated } from './keep-located.js';
import { prepareOwnImage } from './prepare-image.js';
import { pushImage } from './push-image.js';
import { Stack } from './stack.js';
import { type RunningSystem, startSystem } from './start-system.js';

export interface UpOptions {
  /** The repository's root, built. */
  readonly root: string;
  readonly version: string;
  readonly topology?: string;
  readonly data: string;
  /** Default: WAYBILL_API_PORT, else that of the last start, else 8080. */
  readonly port?: number;
  readonly once: boolean;
  readonly image?: string;
  readonly json: boolean;
  /** Default: the process's own. */
  readonly environment?: Environment | undefined;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

/** What all steps of a run know. */
interface Run {
  readonly options: UpOptions;
  readonly output: Output;
  readonly file: TopologyFile;
  readonly failure: FirstFailure;
  /** What is to be undone at the end, last first. */
  readonly stack: Stack;
  /** Monotonic, milliseconds. */
  readonly startedAt: number;
}

/**
 * Starts the whole system on this machine, promotes an image through it, and stays until it is told to stop.
 * Gives the exit status. Whatever happens, everything that was started is stopped.
 */
export async function up(options: UpOptions, output: Output): Promise<number> {
  const startedAt = performance.now();
  const file = await readTopologyFile(await topologyFile(options));
  for (const warning of warningLines(file)) output.error(warning);
  const run: Run = { options, output, file, failure: new FirstFailure(options.signal), stack: new Stack(), startedAt };
  try {
    return await work(run);
  } catch (error) {
    if (!options.signal.aborted) await tellLackOfSpace(options, output);
    throw run.failure.reasonOf(error);
  } finally {
    await stopAll(run);
  }
}

async function work(run: Run): Promise<number> {
  const { options, file, failure, output, stack } = run;
  // What was given is looked at before anything is started.
  if (options.image !== undefined) await planGivenImage(file.topology, options.image);
  const environment = inheritedEnvironment(options.environment);
  await checkEnvironment(environment, failure.signal);
  const folder = await openDataFolder(options.data, stack);
  if (folder.lock.stopped.length > 0) {
    output.line(`Stopped what a killed run had left behind: ${folder.lock.stopped.map(({ name }) => name).join(', ')}`);
  }

  const { system, planOn } = await startAndPack(run, { folder, environment });
  await rememberApiAddress(folder.dir, system.apiUrl);
  const admin = new WaybillApi({ url: system.apiUrl, key: folder.key.text, signal: failure.signal });
  const { revision, topology } = await declare(admin, system, { run, folder });
  const plan = await planOn(topology);
  const shown = plan instanceof WaybillError ? undefined : await show(admin, { system, plan, folder, topology }, run);
  if (plan instanceof WaybillError) sayNothing(plan, output);
  announceAddresses(system, folder, output);
  if (options.json) {
    const registries = system.registries.map(({ name, url }) => ({ name, url }));
    output.json({ ...addressesOf(system.apiUrl), adminKeyFile: folder.key.file, registries, revision, ...shown });
  }
  if (!options.once) return stay(run, admin, system);
  return shown === undefined ? exitStatus.failed : exitStatusOf(shown.promotion);
}

/** Before anything is stopped and gives its space free. */
async function tellLackOfSpace({ data }: UpOptions, output: Output): Promise<void> {
  const lack = await lackOfSpace(data);
  if (lack !== undefined) output.error(lack);
}

async function topologyFile({ topology, root }: UpOptions): Promise<string> {
  if (topology !== undefined) return topology;
  const own = resolve('topology.yaml');
  return access(own).then(
    () => own,
    () => join(root, 'topology.example.yaml'),
  );
}

interface Prepared {
  readonly folder: DataFolder;
  readonly environment: Readonly<Record<string, string>>;
}

/** What is promoted where a topology holds. */
type PlanOn = (topology: Topology) => Promise<DemonstrationPlan | NothingToShow>;

/** Packing takes a while at the first start, so it goes on beside. */
async function startAndPack(
  run: Run,
  { folder, environment }: Prepared,
): Promise<{ readonly system: RunningSystem; readonly planOn: PlanOn }> {
  const { failure, options, output, startedAt } = run;
  const { image } = options;
  const progress = progressOn(output);
  const told = { adminKey: !folder.key.isNew };
  const port = wantedPort(options, environment, folder);
  const onApiReady = (url: string): void => {
    for (const line of firstLines(url, port, folder, performance.now() - startedAt)) progress.line(line);
    told.adminKey = true;
  };
  try {
    const [system, planOn] = await failure.all([
      start(run, { folder, environment, port, onApiReady }, progress),
      image === undefined ? packOwn(run, folder, progress) : Promise.resolve<PlanOn>((topology) => planGivenImage(topology, image)),
    ]);
    return { system, planOn };
  } catch (error) {
    if (!told.adminKey) output.error(`The administrator's key was made and is in ${folder.key.file}`);
    throw error;
  } finally {
    progress.stop();
  }
}

const defaultApiPort = 8080;

/** An address that stays the same over restarts spares everybody who wrote it down. */
function wantedPort({ port }: UpOptions, environment: Readonly<Record<string, string>>, { dir }: DataFolder): number {
  const configured = environment['WAYBILL_API_PORT'];
  return port ?? (configured === undefined ? undefined : Number(configured)) ?? recallApiAddress(dir)?.port ?? defaultApiPort;
}

async function start(
  { options, file, failure, stack }: Run,
  more: Pick<Parameters<typeof startSystem>[0], 'folder' | 'environment' | 'port' | 'onApiReady'>,
  progress: Progress,
): Promise<RunningSystem> {
  const task = progress.task('Starting database, registries, API, worker');
  const started = performance.now();
  const system = await startSystem({ root: options.root, topology: file.topology, failure, stack, ...more });
  task.done(roundSeconds(performance.now() - started));
  return system;
}

/** Why there is nothing to promote, with which the system runs all the same. */
type NothingToShow = DemonstrationError | PackError;

/** Where no path carries an image of Waybill, or none can be packed, there is nothing to show. */
async function packOwn({ options, failure }: Run, { dir }: DataFolder, progress: Progress): Promise<PlanOn> {
  const { root, version } = options;
  try {
    const image = await prepareOwnImage({ root, version, dataDir: dir, progress, signal: failure.signal });
    return async (topology) => nothingToShow(() => planLayout(topology, image));
  } catch (error) {
    if (error instanceof PackError && error.code === 'platform-unsupported') return () => Promise.resolve(error);
    throw error;
  }
}

function nothingToShow(plan: () => DemonstrationPlan): DemonstrationPlan | DemonstrationError {
  try {
    return plan();
  } catch (error) {
    if (error instanceof DemonstrationError) return error;
    throw error;
  }
}

/** Stands where the demonstration would. */
function sayNothing({ message }: NothingToShow, output: Output): void {
  output.line();
  output.error(`${message}\nNothing is promoted: name an image of yours with --image`);
}

/** Settles which topology holds, and tells where its local registries listen. */
async function declare(
  admin: WaybillApi,
  system: RunningSystem,
  { run: { file, output }, folder }: { readonly run: Run; readonly folder: DataFolder },
): Promise<DeclaredTopology> {
  const declared = await declareTopology(admin, file, folder.dir);
  await system.runMissing(declared.topology);
  announceParts(system, file.file, output);
  for (const { name, url } of system.registries) {
    // A topology that is kept may not have those of the file.
    if (declared.topology.registries[name]?.local !== undefined) await admin.locateRegistry(name, url);
  }
  output.line(declared.line);
  return declared;
}

interface Shown {
  readonly system: RunningSystem;
  readonly plan: DemonstrationPlan;
  readonly folder: DataFolder;
  readonly topology: Topology;
}

async function show(admin: WaybillApi, shown: Shown, run: Run): Promise<Demonstrated> {
  const { plan, folder } = shown;
  const { failure, output } = run;
  await push(shown, run);
  const subject = demonstrationSubject(folder.dir);
  await revokeLeftoverKeys(admin, subject);
  const key = await makeDemonstrationKey(admin, plan, subject);
  run.stack.push(() => revokeAtEnd(key.id, shown, output));
  return demonstrate(admin.withKey(key.text), plan, output, failure.signal);
}

async function push({ system, plan, topology }: Shown, { failure, output }: Run): Promise<void> {
  const { content, reference } = plan;
  const address = system.registries.find(({ name }) => name === reference.registry)?.url;
  if (content === undefined || address === undefined) return;
  const progress = progressOn(output);
  const task = progress.task(`Pushing ${reference.registry}/${reference.repository}:${reference.tag}`);
  try {
    await pushImage({ ...plan, content }, { topology, address, progress: task, signal: failure.signal });
  } finally {
    progress.stop();
  }
}

/** With a client of its own: the run's signal may have been aborted. */
async function revokeAtEnd(id: string, { system, folder }: Shown, output: Output): Promise<void> {
  try {
    await new WaybillApi({ url: system.apiUrl, key: folder.key.text }).revokeKey(id);
  } catch {
    output.error("the demonstration's key could not be revoked now; the next start revokes it");
  }
}

async function stay({ options, output, failure }: Run, admin: WaybillApi, { registries }: RunningSystem): Promise<number> {
  output.line('Press Ctrl-C to stop.');
  await keepLocated(admin, registries, { signal: failure.signal });
  if (!options.signal.aborted) throw failure.signal.reason;
  return exitStatus.succeeded;
}

/** What cannot be stopped is told, and does not hide why the run ended. */
async function stopAll({ stack, output }: Run): Promise<void> {
  if (stack.isEmpty) return;
  output.line('Stopping …');
  await stack.unwind().catch((error: unknown) => output.error(messageOf(error)));
}
