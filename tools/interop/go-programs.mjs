import { goTool, GoToolError } from '../go-tools/install.mjs';
import { programs } from '../go-tools/programs.mjs';

/**
 * What the tests are told of a program: where it is, or why it is not there.
 *
 * @typedef {{ path: string, version: string } | { missing: string, isExcused: boolean }} ProgramState
 */

/** What Go says where a proxy does not hand a module out. */
const refused = /\b(403 Forbidden|404 Not Found|410 Gone)\b/;

/**
 * Builds what is not built yet, one after another: each build takes all processors by itself.
 *
 * @param {import('../../scripts/bootstrap/progress.mjs').Progress} progress
 * @returns {Promise<Record<string, ProgramState>>}
 */
export async function buildGoPrograms(progress) {
  /** @type {Record<string, ProgramState>} */
  const states = {};
  for (const [name, program] of Object.entries(programs)) {
    states[name] = await stateOf(program, () => goTool(program, { progress }), progress);
  }
  return states;
}

/**
 * @param {Pick<import('../go-tools/programs.mjs').Program, 'version' | 'mayBeRefused'>} program
 * @param {() => Promise<string | undefined>} build
 * @param {Pick<import('../../scripts/bootstrap/progress.mjs').Progress, 'note'>} progress is told what went wrong
 * @returns {Promise<ProgramState>}
 */
export async function stateOf({ version, mayBeRefused }, build, progress) {
  try {
    const path = await build();
    return path === undefined ? { missing: 'no Go on this machine', isExcused: false } : { path, version };
  } catch (error) {
    if (!(error instanceof GoToolError)) throw error;
    progress.note(error.message);
    if (mayBeRefused !== undefined && refused.test(error.message)) return { missing: mayBeRefused, isExcused: true };
    return { missing: 'it could not be built', isExcused: false };
  }
}
