import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { runCommandLine } from './command-line.js';
import { Interruption, stopSignals } from './interruption.js';

/** A terminal and a supervisor may both say the same Ctrl-C: only a later one is meant as a second. */
const sameSignalMs = 1_000;

/** Ctrl-C asks to stop; a second one ends at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  let askedAt = 0;
  for (const name of stopSignals) {
    process.on(name, () => {
      const interruption = new Interruption(name);
      if (!stop.signal.aborted) askedAt = performance.now();
      else if (performance.now() - askedAt > sameSignalMs) process.exit(interruption.exitStatus);
      stop.abort(interruption);
    });
  }
  return stop.signal;
}

// Whoever read the output may be gone (a closed terminal, `| head`); what was started is stopped in order all the same.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const root = resolve(import.meta.dirname, '../../..');
const { version } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { version: string };
process.exitCode = await runCommandLine(process.argv.slice(2), {
  root,
  version,
  stop: stopSignal(),
  keyboard: process.stdin.isTTY ? process.stdin : undefined,
  stdout: process.stdout,
  stderr: process.stderr,
});
