import { access, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { inheritedEnvironment } from '@waybill/config';
import type { EmbeddedError } from '@waybill/embedded';
import { parseRepositoryName } from '@waybill/oci-model';
import { OciLayout } from '@waybill/oci-layout';
import { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { formatBytes, formatSeconds } from '../output/format.js';
import { exitStatus, exitStatusOf } from '../output/exit-status.js';
import { type Progress, progressOn } from '../output/progress.js';
import { packWaybillImage } from '../pack-image/pack-waybill-image.js';
import { readTopologyFile, type TopologyFile } from '../topology/read-topology-file.js';
import { adminKey } from './admin-key.js';
import { demonstrate } from './demonstrate.js';
import { type DemonstrationPlan, planGivenImage, planLayout } from './demonstration-image.js';
import { makeDemonstrationKey } from './demonstration-key.js';
import { pushImage } from './push-image.js';
import { type RunningSystem, startSystem, versionOf } from './start-system.js';

export interface UpOptions {
  /** The repository's root, built. */
  readonly root: string;
  readonly topology?: string;
  readonly data: string;
  readonly port: number;
  readonly once: boolean;
  readonly image?: string;
  readonly json: boolean;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

/**
 * Starts the whole system on this machine, promotes an image through it, and stays until it is told to stop.
 * Gives the exit status.
 */
export async function up(options: UpOptions, output: Output): Promise<number> {
  const started = performance.now();
  const file = await readTopologyFile(await topologyFile(options));
  for (const warning of file.warnings) output.error(warning);
  await mkdir(options.data, { recursive: true, mode: 0o711 });
  const key = await adminKey(options.data);

  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const progress = progressOn(output);
  const imaging = prepareImage(options, file, progress, signal);
  const starting = start(options, file, { adminKey: key.text, signal, onUnexpectedExit: (error) => failure.abort(error) }, progress);
  await Promise.allSettled([imaging, starting]);
  const system = await starting;
  try {
    const plan = await imaging;
    progress.stop();
    announce(system, file, output);
    if (key.isNew) output.line(`Admin key (shown once, kept in ${key.file}): ${key.text}`);
    else output.line(`Admin key: in ${key.file}`);
    const admin = new WaybillApi({ url: system.apiUrl, key: key.text });
    await declare(admin, file, system, output);
    return await show(admin, { system, plan, file, started, signal }, options, output);
  } catch (error) {
    if (failure.signal.aborted) throw failure.signal.reason;
    throw error;
  } finally {
    progress.stop();
    output.line('Stopping …');
    await system.stop();
  }
}

async function topologyFile({ topology, root }: UpOptions): Promise<string> {
  if (topology !== undefined) return topology;
  const own = resolve('topology.yaml');
  return access(own).then(
    () => own,
    () => join(root, 'topology.example.yaml'),
  );
}

async function start(
  options: UpOptions,
  { topology }: TopologyFile,
  more: { readonly adminKey: string; readonly signal: AbortSignal; readonly onUnexpectedExit: (error: EmbeddedError) => void },
  progress: Progress,
): Promise<RunningSystem> {
  const task = progress.task('Starting database, registries, api, worker');
  const started = performance.now();
  const { root, data, port } = options;
  const system = await startSystem({ root, dataDir: resolve(data), topology, port, environment: inheritedEnvironment(), ...more });
  task.done(`${formatSeconds(performance.now() - started)} s`);
  return system;
}

/** Packs Waybill itself, unless another image was given. */
async function prepareImage(
  options: UpOptions,
  { topology }: TopologyFile,
  progress: Progress,
  signal: AbortSignal,
): Promise<DemonstrationPlan> {
  if (options.image !== undefined) return planGivenImage(topology, options.image);
  const task = progress.task('Packing an image of Waybill itself');
  const started = performance.now();
  const layoutDir = join(resolve(options.data), 'image');
  const packedBytes = new Map<string, number>();
  const packed = await packWaybillImage({
    root: options.root,
    layoutDir,
    version: versionOf(options.root),
    signal,
    onProgress: ({ layer, bytes }) => {
      packedBytes.set(layer, bytes);
      task.update([...packedBytes.values()].reduce((sum, one) => sum + one, 0));
    },
  });
  task.done(`${formatBytes(packed.bytes)}, ${formatSeconds(performance.now() - started)} s${packed.reused ? ', unchanged' : ''}`);
  const store = (await OciLayout.open(layoutDir)).store();
  return planLayout(topology, { store, digest: packed.digest, repositories: [parseRepositoryName('waybill')], tag: packed.tag });
}

function announce(system: RunningSystem, file: TopologyFile, output: Output): void {
  if (system.leftovers.length > 0) output.line(`Stopped what a killed run had left behind: ${system.leftovers.join(', ')}`);
  output.line(`Database: ${system.database}; queue: ${system.queue}; topology: ${file.file}`);
  for (const { name, url, engine, version, port, requestedPort } of system.registries) {
    const moved = requestedPort === undefined || requestedPort === port ? '' : `, since port ${requestedPort} is taken`;
    output.line(`  ${name.padEnd(14)} ${url}  (${engine}${version === '' ? '' : ` ${version}`}${moved})`);
  }
  if (system.registries.length > 0) output.line('Local registries are open to everyone on this machine, and listen on loopback only.');
  if (!system.apiUrl.endsWith(`:${system.requestedPort}`))
    output.line(`Port ${system.requestedPort} is taken: the API listens on another one.`);
}

/** Applies the topology and tells where local registries listen. */
async function declare(admin: WaybillApi, file: TopologyFile, system: RunningSystem, output: Output): Promise<void> {
  const { revision, changed } = await admin.applyTopology(file.source, file.file);
  for (const { name, url } of system.registries) await admin.locateRegistry(name, url);
  output.line(`Topology revision ${revision.number}${changed ? ' applied' : ', unchanged'}`);
}

interface Shown {
  readonly system: RunningSystem;
  readonly plan: DemonstrationPlan;
  readonly file: TopologyFile;
  /** Monotonic, milliseconds. */
  readonly started: number;
  readonly signal: AbortSignal;
}

async function show(
  admin: WaybillApi,
  { system, plan, file, started, signal }: Shown,
  options: UpOptions,
  output: Output,
): Promise<number> {
  const progress = progressOn(output);
  const address = system.registries.find(({ name }) => name === plan.reference.registry)?.url;
  if (plan.content !== undefined) {
    const task = progress.task(`Pushing to ${plan.reference.registry}/${plan.reference.repository}:${plan.reference.tag}`);
    await pushImage(plan, { topology: file.topology, address, progress: task, signal });
  }
  progress.stop();
  const key = await makeDemonstrationKey(admin, plan);
  try {
    const promotion = await demonstrate(key.api, plan, output, signal);
    printAddresses(system, options, started, output);
    if (options.json) output.json(promotion);
    if (options.once) return exitStatusOf(promotion);
    output.line('Press Ctrl-C to stop.');
    await stopped(signal);
    return options.signal.aborted ? exitStatus.succeeded : exitStatus.failed;
  } finally {
    await admin.revokeKey(key.id).catch((error: unknown) => output.error(`the demonstration's key could not be revoked: ${String(error)}`));
  }
}

function printAddresses({ apiUrl }: RunningSystem, { data }: UpOptions, started: number, output: Output): void {
  output.line();
  output.line(`API        ${apiUrl}/api/v1`);
  output.line(`API docs   ${apiUrl}/api/docs`);
  output.line(`Health     ${apiUrl}/health/ready`);
  output.line(`Logs       ${join(resolve(data), 'logs')}`);
  output.line(`Ready after ${formatSeconds(performance.now() - started)} s`);
}

function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }));
}
