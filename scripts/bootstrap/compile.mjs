import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { sourceFingerprint, workspaces } from './fingerprint.mjs';
import { at, root } from './paths.mjs';
import { SetupProblem } from './problem.mjs';
import { lastLines, runLogged } from './run.mjs';
import { readStamp, unlessStamped } from './stamp.mjs';

const SHOWN_DIAGNOSTICS = 40;

/**
 * Compiles all projects when a source changed since the last build that succeeded.
 *
 * @param {import('./progress.mjs').Progress} progress
 */
export async function ensureCompiled(progress) {
  await unlessStamped(at('node_modules/.waybill-build'), {
    // With the install stamp, because types come from the dependencies too.
    expected: `${sourceFingerprint(root)} ${readStamp(at('node_modules/.waybill-install'))}`,
    isIntact: () => workspaces(root).every((workspace) => existsSync(at(workspace, 'dist/.tsbuildinfo'))),
    work: () => progress.step('building', compile),
  });
}

async function compile() {
  const finished = await runLogged([process.execPath, at('node_modules/typescript/bin/tsc'), '--build'], { log: 'build.log' });
  if (finished.status !== 0) {
    throw new SetupProblem(`${lastLines(finished.output, SHOWN_DIAGNOSTICS)}\n\nThe build failed. All of the output: ${finished.logFile}`);
  }
  for (const workspace of workspaces(root)) removeOutputWithoutSource(at(workspace));
}

/**
 * The compiler leaves the output of a deleted source behind; what is packed into an image must hold none.
 *
 * @param {string} workspace
 */
export function removeOutputWithoutSource(workspace) {
  const dist = path.join(workspace, 'dist');
  if (!existsSync(dist)) return;
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const output = /^(?<stem>.+?)(\.d\.ts|\.js)(\.map)?$/.exec(entry.name);
    if (!entry.isFile() || output?.groups === undefined) continue;
    const source = path.join(workspace, 'src', path.relative(dist, entry.parentPath), `${output.groups['stem']}.ts`);
    if (!existsSync(source)) rmSync(path.join(entry.parentPath, entry.name));
  }
}
