import { spawn } from 'node:child_process';
import { at } from './paths.mjs';
import { ended } from './run.mjs';

/**
 * Runs `waybill up` in the foreground.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>} its exit status
 */
export async function start(args) {
  const child = spawn(process.execPath, [at('apps/cli/bin/waybill.mjs'), 'up', ...args], { stdio: 'inherit' });
  forwardOnce('SIGTERM', child);
  forwardOnce('SIGHUP', child);
  forwardOnce('SIGINT', child);
  return ended(child);
}

/**
 * On a terminal Ctrl-C reaches every process of the foreground group by itself: handing it on would say it twice.
 *
 * @param {NodeJS.Signals} signal
 * @param {import('node:child_process').ChildProcess} child
 */
function forwardOnce(signal, child) {
  let isForwarded = signal === 'SIGINT' && process.stdin.isTTY;
  process.on(signal, () => {
    if (isForwarded) return;
    isForwarded = true;
    child.kill(signal);
  });
}
