// Programs written in Go that tests run as judges and as neighbours, built once per version into `.waybill/tools`.
import { spawn } from 'node:child_process';
import { accessSync, constants as access, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { constants as os, setPriority } from 'node:os';
import path from 'node:path';
import { withLock } from '../../scripts/bootstrap/lock.mjs';
import { at } from '../../scripts/bootstrap/paths.mjs';
import { createProgress } from '../../scripts/bootstrap/progress.mjs';
import { lastLines } from '../../scripts/bootstrap/run.mjs';
import { isOnPath } from '../../scripts/bootstrap/servers.mjs';

const KEPT_OUTPUT_CHARS = 64 * 1024;

/**
 * @typedef {object} GoTool
 * @property {string} name the executable's name, e.g. `crane`
 * @property {string} module the path of its main package, e.g. `github.com/google/go-containerregistry/cmd/crane`
 * @property {string} [main] the main package's folder in the module, e.g. `./cmd/oras`, when `module` is the module's path.
 *   It is then built in the module's own folder: `go install` asks the proxy for a list of all versions, which not every
 *   proxy gives for every module
 * @property {string} version a version of the module and never `latest`, e.g. `v0.22.1`
 * @property {readonly string[]} [flags] more flags of `go install`, e.g. `-tags=minimal`
 * @property {Readonly<Record<string, string>>} [env] e.g. `CGO_ENABLED=0`
 */

/**
 * The executable of a program that `go install` can build; built when it is not there yet.
 * Several processes may ask at once: one builds and the others wait for it.
 *
 * @param {GoTool} tool
 * @param {{ tools?: string, progress?: import('../../scripts/bootstrap/progress.mjs').Progress }} [options]
 *   `tools`: the folder that holds all tools, `.waybill/tools` by default
 * @returns {Promise<string | undefined>} its absolute path; undefined when there is no Go on this machine
 * @throws {GoToolError} when it could not be downloaded or built
 */
export function goTool(tool, options = {}) {
  const tools = toolsOf(options);
  return installed(tool, options, async (folder) => {
    const wanted = path.join(folder, tool.name + suffix);
    if (tool.main !== undefined) {
      const cwd = await downloaded(tool, tools);
      await go(['build', ...(tool.flags ?? []), '-o', wanted, tool.main], { cwd, env: tool.env, tools });
      return;
    }
    const env = { ...tool.env, GOBIN: folder };
    await go(['install', ...(tool.flags ?? []), `${tool.module}@${tool.version}`], { env, tools });
    const built = path.join(folder, path.posix.basename(tool.module) + suffix);
    if (built !== wanted) renameSync(built, wanted);
  });
}

/**
 * The test program of a module that has tests and no program (`go test -c`); built when it is not there yet.
 *
 * @param {GoTool} tool
 * @param {{ tools?: string, progress?: import('../../scripts/bootstrap/progress.mjs').Progress }} [options]
 * @returns {Promise<string | undefined>} its absolute path; undefined when there is no Go on this machine
 * @throws {GoDownloadError} when it could not be downloaded
 * @throws {GoToolError} when it could not be built
 */
export function goTestProgram(tool, options = {}) {
  return installed(tool, options, async (folder) => {
    const tools = toolsOf(options);
    const cwd = await downloaded(tool, tools);
    const wanted = path.join(folder, tool.name + suffix);
    await go(['test', '-c', ...(tool.flags ?? []), '-o', wanted, '.'], { cwd, env: tool.env, tools });
  });
}

/** A tool that could not be downloaded or built; the message holds the end of what Go said. */
export class GoToolError extends Error {}

/** The module could not be had: no network, or the module proxy does not give it out. */
export class GoDownloadError extends GoToolError {}

export const isGoInstalled = () => isOnPath(`go${suffix}`);

const suffix = process.platform === 'win32' ? '.exe' : '';

/**
 * @param {GoTool} tool
 * @param {string} tools
 * @returns {Promise<string>} the folder with the module's sources
 * @throws {GoDownloadError}
 */
async function downloaded({ module, version, env }, tools) {
  try {
    const said = await go(['mod', 'download', '-json', `${module}@${version}`], { env, tools });
    return JSON.parse(said).Dir;
  } catch (cause) {
    throw new GoDownloadError(`${module}@${version} is not to be had: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** @param {{ tools?: string }} options */
const toolsOf = ({ tools }) => tools ?? at('.waybill', 'tools');

/**
 * @param {GoTool} tool
 * @param {{ tools?: string, progress?: import('../../scripts/bootstrap/progress.mjs').Progress }} options
 * @param {(folder: string) => Promise<void>} build leaves the executable in the folder
 */
async function installed(tool, options, build) {
  const folder = path.join(toolsOf(options), `${tool.name}-${tool.version}`);
  const executable = path.join(folder, tool.name + suffix);
  if (existsSync(executable)) return executable;
  if (!isGoInstalled()) return undefined;
  return await withLock(`${folder}.lock`, async () => {
    if (existsSync(executable)) return executable;
    const progress = options.progress ?? createProgress();
    await progress.step(`building ${tool.name} ${tool.version} with Go`, () => buildAside(folder, build));
    return executable;
  });
}

/**
 * A folder appears whole or not at all: the next process takes what it finds for good.
 *
 * @param {string} folder
 * @param {(folder: string) => Promise<void>} build
 */
async function buildAside(folder, build) {
  mkdirSync(path.dirname(folder), { recursive: true });
  const aside = mkdtempSync(`${folder}.`);
  try {
    await build(aside);
    rmSync(folder, { recursive: true, force: true });
    renameSync(aside, folder);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/**
 * @param {readonly string[]} args
 * @param {{ cwd?: string | undefined, env?: Readonly<Record<string, string>> | undefined, tools: string }} options
 * @returns {Promise<string>} what it wrote to standard output
 */
async function go(args, { cwd, env, tools }) {
  const caches = await cachesFor(tools);
  const { status, stdout, stderr } = await run(args, { cwd, env: { ...process.env, ...caches, ...env } });
  if (status === 0) return stdout;
  throw new GoToolError(`\`go ${args.join(' ')}\` failed:\n${lastLines(`${stdout}\n${stderr}`)}`);
}

/**
 * Go keeps what it downloads and compiles below the user's home. Where nobody has made that possible
 * (a service without a home, a read-only one) both are kept beside the tools.
 *
 * @param {string} tools
 * @returns {Promise<Record<string, string>>} nothing where the user's own settings work
 */
async function cachesFor(tools) {
  const { status, stdout } = await run(['env', '-json', 'GOMODCACHE', 'GOCACHE', 'GOFLAGS'], { env: process.env });
  const { GOMODCACHE: modules = '', GOCACHE: builds = '', GOFLAGS: flags = '' } = status === 0 ? JSON.parse(stdout) : {};
  return {
    // Go makes modules read-only, also for whoever wants to delete the folder, unless it is told not to.
    ...(isWritable(modules) ? {} : { GOMODCACHE: path.join(tools, '.go', 'modules'), GOFLAGS: `${flags} -modcacherw`.trim() }),
    ...(isWritable(builds) ? {} : { GOCACHE: path.join(tools, '.go', 'builds') }),
  };
}

/** @param {string} folder whether it can be written to or made */
function isWritable(folder) {
  if (!path.isAbsolute(folder)) return false;
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, access.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {readonly string[]} args
 * @param {{ cwd?: string | undefined, env: NodeJS.ProcessEnv }} options
 */
async function run(args, options) {
  // Of no module of its own: a `go.mod` or `go.work` above must not decide what is built.
  const child = spawn('go', args, {
    ...options,
    cwd: options.cwd ?? path.parse(process.cwd()).root,
    env: { ...options.env, GOWORK: 'off' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  yieldToOthers(child.pid);
  const stdout = collected(child.stdout);
  const stderr = collected(child.stderr);
  const status = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  return { status, stdout: stdout(), stderr: stderr() };
}

/** A build takes all processors for a minute or two; tests beside it would run into their deadlines. */
function yieldToOthers(/** @type {number | undefined} */ pid) {
  try {
    if (pid !== undefined) setPriority(pid, os.priority.PRIORITY_LOW);
  } catch {
    // It has ended, or this system has no priorities: it runs as it is.
  }
}

/**
 * @param {import('node:stream').Readable} stream
 * @returns {() => string} the end of what came
 */
function collected(stream) {
  let text = '';
  stream.setEncoding('utf8').on('data', (more) => (text = (text + more).slice(-KEPT_OUTPUT_CHARS)));
  return () => text;
}
