import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createWriteStream, mkdirSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { logDir, root } from './paths.mjs';

const KEPT_OUTPUT_CHARS = 256 * 1024;

/**
 * @typedef {object} Finished
 * @property {number} status exit status; 128 + signal number when a signal ended it, 127 when it could not be started
 * @property {string} output the end of what it printed, both streams
 * @property {string} logFile where all of it stands
 */

/**
 * Runs a command to its end with its output in a log file instead of on the screen.
 *
 * @param {readonly [program: string, ...args: string[]]} command
 * @param {{ log: string, env?: NodeJS.ProcessEnv, append?: boolean }} options `log` is the file's name in `.waybill/logs`
 * @returns {Promise<Finished>}
 */
export async function runLogged([program, ...args], options) {
  mkdirSync(logDir, { recursive: true });
  const logFile = path.join(logDir, options.log);
  const log = createWriteStream(logFile, { flags: options.append ? 'a' : 'w' });
  log.write(`$ ${[program, ...args].join(' ')}\n`);
  const child = spawn(program, args, { cwd: root, env: options.env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      log.write(text);
      output = (output + text).slice(-KEPT_OUTPUT_CHARS);
    });
  }
  const status = await ended(child).catch((error) => {
    output += String(error);
    log.write(output);
    return 127;
  });
  log.end();
  await once(log, 'close');
  return { status, output, logFile };
}

/**
 * The exit status of a child as a shell would give it; rejects when it could not be started.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>}
 */
export async function ended(child) {
  const [code, signal] = await once(child, 'close');
  return code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)];
}

/**
 * @param {string} text
 * @param {number} [count]
 * @returns {string} the last lines that say something
 */
export function lastLines(text, count = 15) {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .join('\n');
}
