// `npm run test:conformance`: a suite that we did not write judges the local registry, on files and in memory.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type LocalRegistryOptions, startLocalRegistry } from '@waybill/local-registry';
import { GoDownloadError, goTestProgram } from '../../tools/go-tools/install.mjs';
import { judge, testCasesIn, type Verdict } from './report.js';
import { environmentFor, suite } from './suite.js';

const deadlineMs = 5 * 60 * 1000;

interface Run {
  readonly title: string;
  readonly program: string;
  readonly manifestsFirst: boolean;
  readonly storage: (folder: string) => LocalRegistryOptions;
}

/** Gives what the suite's program found; rejects when it wrote no report. */
async function runAgainst({ program, manifestsFirst, storage }: Run): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-conformance-'));
  const reportDir = join(folder, 'report');
  await mkdir(reportDir);
  const registry = await startLocalRegistry(storage(folder));
  try {
    const env = environmentFor({ url: registry.url, reportDir, manifestsFirst });
    const child = spawn(program, [], { cwd: reportDir, env, stdio: ['ignore', 'pipe', 'inherit'], timeout: deadlineMs });
    const ended = once(child, 'close').then(([code]: readonly unknown[]) => code);
    const [said, code] = await Promise.all([text(child.stdout), ended]);
    const report = join(reportDir, 'junit.xml');
    if (!existsSync(report)) throw new Error(`the suite ended with ${String(code)} and wrote no report:\n${said.slice(-2000)}`);
    const verdict = judge(testCasesIn(await readFile(report, 'utf8')));
    if (code === 0 || verdict.problems.length > 0) return verdict;
    return { ...verdict, problems: [`the suite ended with ${String(code)}:\n${said.slice(-2000)}`] };
  } finally {
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function report(title: string, { passed, skips, problems }: Verdict): void {
  console.log(`${title}: ${passed} passed, ${skips.length} skipped, ${problems.length} problems`);
  for (const { name, reason } of skips) console.log(`  skipped: ${name}\n    ${reason ?? 'no reason is known'}`);
  for (const problem of problems) console.error(`  ${problem}`);
}

/** The suite's program; undefined, and said why, where there can be none. */
async function findProgram(): Promise<string | undefined> {
  const own = process.env['WAYBILL_CONFORMANCE_PROGRAM'];
  if (own !== undefined) return own;
  try {
    const program = await goTestProgram(suite);
    if (program === undefined) notRun('there is no Go on this machine', 'WAYBILL_TEST_REQUIRE_GO');
    return program;
  } catch (error) {
    if (!(error instanceof GoDownloadError)) throw error;
    notRun(`the suite cannot be downloaded here: ${error.message}`, 'WAYBILL_TEST_REQUIRE_CONFORMANCE');
    return undefined;
  }
}

function notRun(why: string, demandedBy: string): void {
  console.error(`NOT RUN, nothing was tested: ${why}`);
  if (process.env[demandedBy] === '1') process.exitCode = 1;
}

const program = await findProgram();
if (program !== undefined) {
  const runs: readonly Run[] = [
    { title: 'on files', program, manifestsFirst: true, storage: (folder) => ({ dataDir: join(folder, 'data') }) },
    { title: 'in memory', program, manifestsFirst: false, storage: () => ({ memory: { maxBytes: 256 * 1024 * 1024 } }) },
  ];
  for (const run of runs) {
    const verdict = await runAgainst(run);
    report(run.title, verdict);
    if (verdict.problems.length > 0) process.exitCode = 1;
  }
}
