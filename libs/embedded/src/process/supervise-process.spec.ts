import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTypeScript } from '@waybill/testing';
import type { EmbeddedError } from '../embedded-error.js';
import { startTokenOf } from './process-identity.js';
import { type SupervisedProcess, superviseProcess, type SuperviseProcessOptions } from './supervise-process.js';
import { waitFor } from './wait.js';

let folder: string;
let running: SupervisedProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-supervise-'));
  running = [];
});

afterEach(async () => {
  for (const child of running) await child.stop();
  await rm(folder, { recursive: true, force: true });
});

const stay = `process.stdin.on('close', () => process.exit(0)).resume();`;

async function run(code: string, options: Partial<SuperviseProcessOptions> = {}): Promise<SupervisedProcess> {
  const child = await superviseProcess({
    name: 'the probe',
    command: process.execPath,
    args: ['-e', code],
    logFile: join(folder, 'probe.log'),
    readyWhen: { line: (line) => line.startsWith('ready') },
    endsWith: 'stdin',
    ...options,
  });
  running.push(child);
  return child;
}

const log = () => readFile(join(folder, 'probe.log'), 'utf8');
const isGone = (pid: number) => waitFor(() => (startTokenOf(pid) === undefined ? true : undefined), { timeoutMs: 10_000 });

describe('superviseProcess', () => {
  it('waits for the line that shows readiness, also when it comes in pieces', async () => {
    const child = await run(
      `console.log('warming up'); process.stdout.write('rea'); setTimeout(() => console.log('dy at 80'), 50); ${stay}`,
    );

    expect(child.readyLine).toBe('ready at 80');
    expect(await log()).toContain('warming up');
  });

  it('waits for the answer that it accepts, not for any', async () => {
    const child = await run(
      `let asked = 0; require('node:http').createServer((_, response) => response.writeHead(++asked < 3 ? 503 : 200).end())
        .listen(0, '127.0.0.1', function () { console.log('port ' + this.address().port); }); ${stay}`,
      { readyWhen: { line: (line) => line.startsWith('port ') } },
    );
    const port = child.readyLine.slice('port '.length);
    const statuses: number[] = [];

    await run(stay, {
      logFile: join(folder, 'second.log'),
      readyWhen: { answersAt: `http://127.0.0.1:${port}/`, accept: ({ status }) => statuses.push(status) > 0 && status === 200 },
    });

    expect(statuses).toEqual([503, 503, 200]);
  });

  it.each([
    ['its last lines', `console.error('the file is broken'); process.exit(3)`, 'start-failed', /code 3[^]*the file is broken/],
    ['a full disk', `console.error('write failed: No space left on device'); process.exit(1)`, 'disk-full', /free some space/],
    ['a taken port', `console.error('listen EADDRINUSE: address already in use'); process.exit(1)`, 'port-unavailable', /port is taken/],
    ['a signal', `process.kill(process.pid, 'SIGKILL')`, 'start-failed', /SIGKILL/],
  ])('tells by %s why a child ended before it was ready', async (_what, code, expected, message) => {
    await expect(run(code)).rejects.toMatchObject({ code: expected, message: expect.stringMatching(message) });
  });

  it.each(['stdin', 'watcher'] as const)('reports a program that does not exist (%s)', async (endsWith) => {
    await expect(run('', { command: join(folder, 'absent'), endsWith })).rejects.toMatchObject({ code: 'start-failed' });
  });

  it('ends a child that is not ready in time', async () => {
    const failure: unknown = await run(`console.log(process.pid); ${stay}`, { readyTimeoutMs: 300 }).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'start-timeout', retryable: true });
    expect(startTokenOf(Number((await log()).trim()))).toBeUndefined();
  });

  it('ends a child whose start is cancelled', async () => {
    const abort = new AbortController();
    const start = run(`console.log(process.pid); ${stay}`, { signal: abort.signal });
    await waitFor(async () => ((await log().catch(() => '')) === '' ? undefined : true), { timeoutMs: 10_000 });

    abort.abort();

    await expect(start).rejects.toMatchObject({ code: 'cancelled' });
    expect(startTokenOf(Number((await log()).trim()))).toBeUndefined();
  });

  it('reports an end that nobody asked for, once', async () => {
    const endings: EmbeddedError[] = [];
    const child = await run(`console.log('ready'); ${stay}`, { onUnexpectedExit: (error) => endings.push(error) });

    process.kill(child.pid, 'SIGKILL');

    expect(await child.exited).toBe('SIGKILL');
    expect(endings.map(({ code, details }) => ({ code, details }))).toEqual([{ code: 'exited', details: { exit: 'SIGKILL' } }]);
  });

  it('stops with the signal asked for and reports nothing', async () => {
    const endings: EmbeddedError[] = [];
    const child = await run(`process.on('SIGINT', () => { console.log('bye'); process.exit(0); }); console.log('ready'); ${stay}`, {
      stopSignal: 'SIGINT',
      onUnexpectedExit: (error) => endings.push(error),
    });

    await Promise.all([child.stop(), child.stop()]);

    expect(await child.exited).toBe('code 0');
    expect(await log()).toContain('bye');
    expect(endings).toEqual([]);
  });

  it('kills a child that does not obey', async () => {
    const child = await run(`process.on('SIGTERM', () => undefined); console.log('ready'); setInterval(() => undefined, 60_000)`, {
      stopTimeoutMs: 100,
    });

    await child.stop();

    expect(await child.exited).toBe('SIGKILL');
  });

  it('gives a child nothing of the environment but what it is told', async () => {
    const child = await run(`console.log('ready ' + Object.keys(process.env).sort()); ${stay}`, { env: { WAYBILL_PROBE: '1' } });

    expect(child.readyLine).toBe('ready HOME,LC_ALL,PATH,TZ,WAYBILL_PROBE');
  });

  it('drains a child that prints without end, into a bounded file', async () => {
    const child = await run(
      `console.log('ready'); const line = 'x'.repeat(999) + '\\n'; let left = 3000;
       const print = () => { while (left-- > 0) if (!process.stdout.write(line)) return process.stdout.once('drain', print); process.stdout.write('', () => process.exit(0)); }; print();`,
      { maxLogBytes: 100_000 },
    );

    expect(await child.exited).toBe('code 0');
    expect((await log()).length).toBeLessThanOrEqual(100_000);
  });

  it.each(['stdin', 'watcher'] as const)('ties the child to its supervisor, whatever ends that (%s)', async (endsWith) => {
    const program = endsWith === 'stdin' ? stay : 'setInterval(() => undefined, 60_000);';
    const supervisor = startTypeScript(`
      import { superviseProcess } from '@waybill/embedded';
      const { pid } = await superviseProcess({
        name: 'the probe', command: process.execPath, args: ['-e', ${JSON.stringify(`console.log('ready'); ${program}`)}],
        logFile: ${JSON.stringify(join(folder, 'probe.log'))}, readyWhen: { line: (line) => line === 'ready' }, endsWith: '${endsWith}',
      });
      console.log(pid);
    `);
    const pid = (await supervisor.nextLine()) as number;
    expect(startTokenOf(pid)).toBeDefined();

    await supervisor.kill('SIGKILL');

    expect(await isGone(pid)).toBe(true);
  });

  it('leaves no watcher behind when the child is stopped', async () => {
    const child = await run(`console.log('ready'); setInterval(() => undefined, 60_000)`, { endsWith: 'watcher' });

    await child.stop();

    const group = spawnSync('ps', ['-o', 'stat=', '-g', String(child.pid)], { encoding: 'utf8' });
    expect(group.stdout.split('\n').filter((state) => state !== '' && !state.startsWith('Z'))).toEqual([]);
  });
});
