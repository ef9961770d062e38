// Times the planning of 1e4, 1e5 and 1e6 manifests under 20 rules, each size in a process of its own so that its
// peak of memory is its own. Snapshots are made as they are needed; what making them takes is not counted.
// With --load inventories of these sizes are stored in PostgreSQL first, and what is timed is all that a worker does:
// to read the inventory, to plan, and to write the decisions. BENCH_SIZES says which sizes.
import { execFileSync } from 'node:child_process';
import { applyLimits, compilePolicy, compileProtections, PlanHasher, planRepository } from '@waybill/retention';
import { benchPolicy, benchProtections, now, repositories } from './retention/inventory.mjs';

const sizes = (process.env.BENCH_SIZES ?? '10000,100000,1000000').split(',').map(Number);
const manifestsPerRepository = 1_000;
const [only, ...rest] = process.argv.slice(2);

if (only === '--load') {
  const { measureStored } = await import('./retention/load.mjs');
  let before;
  for (const one of await measureStored(sizes, import.meta.filename)) {
    const linear = before === undefined ? '' : `, ${(one.seconds / before.seconds / (one.size / before.size)).toFixed(2)} of linear`;
    console.log(
      `${one.size} manifests ${one.end}: ${one.seconds.toFixed(2)} s${linear}; processors: ${one.processorSeconds.toFixed(2)} s here, ${one.serverSeconds.toFixed(2)} s of PostgreSQL; peak ${one.megabytes} MB; ${one.removals} of ${one.artifacts} artifacts go; ${one.hash.slice(0, 12)}`,
    );
    before = one;
  }
} else if (only === '--stored') {
  const { planStored } = await import('./retention/load.mjs');
  const [url, pid] = rest;
  console.log(JSON.stringify(await planStored(url, Number(pid))));
} else if (only === undefined) {
  const measured = sizes.map((size) =>
    JSON.parse(execFileSync(process.execPath, [import.meta.filename, String(size)], { encoding: 'utf8' })),
  );
  for (const [at, { manifests, seconds, processorSeconds, megabytes, removed, hash }] of measured.entries()) {
    const before = measured[at - 1];
    const ratio = before === undefined ? '' : `, ${(processorSeconds / before.processorSeconds).toFixed(1)} times that of a tenth of them`;
    console.log(
      `${manifests} manifests: ${seconds.toFixed(2)} s, ${processorSeconds.toFixed(2)} s of processors${ratio}; peak ${megabytes} MB; ${removed} removed; ${hash.slice(0, 19)}`,
    );
  }
} else {
  console.log(JSON.stringify(measure(Number(only))));
}

function measure(size) {
  const policy = benchPolicy();
  const compiled = [compilePolicy(policy)];
  const protections = compileProtections(benchProtections());
  const hasher = new PlanHasher();
  const totals = [];
  let seconds = 0;
  let processorSeconds = 0;
  for (const snapshot of repositories(size / manifestsPerRepository, manifestsPerRepository)) {
    const started = performance.now();
    const usedBefore = processorTime();
    const plan = planRepository(compiled, snapshot, protections, now);
    hasher.add(plan);
    seconds += (performance.now() - started) / 1_000;
    processorSeconds += processorTime() - usedBefore;
    totals.push({ totals: plan.totals, reclaimableBytesAtMost: plan.reclaimableBytesAtMost });
  }
  const { planned } = applyLimits(totals, policy.limits, { artifacts: size });
  const megabytes = Math.round(process.resourceUsage().maxRSS / 1024);
  return { manifests: size, seconds, processorSeconds, megabytes, removed: planned.count, hash: hasher.digest() };
}

/** Of all threads, the garbage collector's too; on a busy machine it says more than the clock on the wall. */
function processorTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
