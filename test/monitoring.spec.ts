import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Metrics, silentLogger } from '@waybill/observability';

import { requestMetrics } from '@waybill/registry-clients';
import { describeWith, findServer, makeTestFolder } from '@waybill/testing';
import { parse } from 'yaml';
import { z } from 'zod';
import { measureStreams } from '../apps/api/src/features/events/measure-streams.js';
import { measureRequests } from '../apps/api/src/http/request-metrics.js';
import { measureFeeds } from '../apps/worker/src/features/follow-notifications/feed-gauges.js';
import { measureRetention } from '../apps/worker/src/features/metrics/retention-gauges.js';
import { measureSystem } from '../apps/worker/src/features/metrics/system-gauges.js';
import { reconcileMetrics } from '../apps/worker/src/features/reconcile/reconcile-metrics.js';
import { runMetrics } from '../apps/worker/src/features/run-promotion/run-metrics.js';

const deploy = path.resolve(import.meta.dirname, '../deploy');
const read = (file: string): string => readFileSync(path.join(deploy, file), 'utf8');

/** As much of Grafana's dashboard as ours uses; anything else is a mistake. */
const Datasource = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('${datasource}') });
const GridPos = z
  .strictObject({ h: z.int().min(1), w: z.int().min(1).max(24), x: z.int().min(0).max(23), y: z.int().min(0) })
  .refine(({ x, w }) => x + w <= 24, 'wider than the grid');
const Row = z.strictObject({
  id: z.int(),
  type: z.literal('row'),
  title: z.string().min(1),
  collapsed: z.literal(false),
  gridPos: GridPos,
  panels: z.tuple([]),
});
const Panel = z.strictObject({
  id: z.int(),
  type: z.enum(['timeseries', 'stat']),
  title: z.string().min(1),
  description: z.string(),
  datasource: Datasource,
  gridPos: GridPos,
  targets: z
    .array(
      z.strictObject({ refId: z.string().regex(/^[A-Z]$/), datasource: Datasource, expr: z.string().min(1), legendFormat: z.string() }),
    )
    .min(1),
  fieldConfig: z.strictObject({
    defaults: z.strictObject({
      unit: z.enum(['s', 'short', 'reqps', 'Bps', 'bytes']).optional(),
      custom: z.record(z.string(), z.unknown()).optional(),
      thresholds: z.strictObject({ mode: z.literal('absolute'), steps: z.array(z.unknown()).min(2) }).optional(),
    }),
    overrides: z.tuple([]),
  }),
  options: z.record(z.string(), z.unknown()),
});
const Variable = z.object({ name: z.string(), type: z.enum(['datasource', 'query']), definition: z.string().optional() });
const Dashboard = z.object({
  uid: z.literal('waybill'),
  title: z.string(),
  schemaVersion: z.int().min(36),
  templating: z.strictObject({ list: z.array(Variable) }),
  panels: z.array(z.discriminatedUnion('type', [Row, Panel])),
});

const dashboard = Dashboard.parse(JSON.parse(read('grafana/waybill.json')));
const queries = dashboard.panels.flatMap((panel) => (panel.type === 'row' ? [] : panel.targets.map(({ expr }) => expr)));
const Rules = z.object({ groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })) });
const alerts = Rules.parse(parse(read('prometheus/waybill.rules.yml'))).groups.flatMap(({ rules }) => rules);

/** The name of every series that a process of ours may give, as Prometheus sees it. */
async function knownSeries(): Promise<Set<string>> {
  const names = new Set<string>();
  for (const line of (await everyMetric().text()).split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    for (const suffix of type === 'histogram' ? ['_bucket', '_count', '_sum'] : ['']) names.add(name + suffix);
  }
  return names;
}

function everyMetric(): Metrics {
  const metrics = new Metrics();
  requestMetrics(metrics);
  runMetrics(metrics);
  reconcileMetrics(metrics);
  measureRequests(metrics);
  measureStreams(metrics, { open: 0 });
  measureFeeds({ metrics, readStates: () => Promise.reject(new Error('never read')), logger: silentLogger });
  measureRetention({ metrics, readState: () => Promise.reject(new Error('never read')), logger: silentLogger });
  measureSystem({ metrics, readState: () => Promise.reject(new Error('never read')), logger: silentLogger });
  return metrics;
}

const seriesIn = (query: string): string[] => query.match(/\b(?:waybill|process|nodejs)_[a-z_]+/g) ?? [];

describe('the Grafana dashboard and the alerts', () => {
  it('ask for what is measured, and nothing else', async () => {
    const known = await knownSeries();
    const variables = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
    const asked = [...queries, ...variables, ...alerts.map(({ expr }) => expr)].flatMap(seriesIn);

    expect(asked.length).toBeGreaterThan(30);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  it('show everything that Waybill measures', async () => {
    const shown = new Set([...queries, ...alerts.map(({ expr }) => expr)].flatMap(seriesIn));
    const measured = [...(await knownSeries())].filter((name) => /^waybill_(?!.*_(?:sum|count)$)/.test(name));

    expect(measured.filter((name) => !shown.has(name))).toEqual([]);
  });

  it('give every panel a place and an id of its own', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    );

    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

describeWith('promtool', 'promtool', () => {
  function promtool(args: readonly string[], input = ''): { readonly status: number | null; readonly said: string } {
    const { status, stdout, stderr } = spawnSync(findServer('promtool')?.path ?? '', args, {
      cwd: path.join(deploy, 'prometheus'),
      input,
      encoding: 'utf8',
    });
    return { status, said: `${stdout}${stderr}` };
  }

  it('takes the example configuration', () => {
    expect(promtool(['check', 'config', '--syntax-only', 'prometheus.yml'])).toMatchObject({ status: 0 });
  });

  it('finds each alert to fire when it should, and not before', () => {
    const { status, said } = promtool(['test', 'rules', 'waybill.rules.test.yml']);

    expect([status, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
    const tested = new Set(read('prometheus/waybill.rules.test.yml').match(/Waybill\w+(?=\n\s+exp_alerts)/g));
    expect(alerts.map(({ alert }) => alert).filter((alert) => !tested.has(alert))).toEqual([]);
  });

  it('understands every query of the dashboard', async () => {
    const folder = await makeTestFolder('monitoring-');
    const file = path.join(folder, 'queries.yml');
    const asRules = queries.map((expr, n) => ({ record: `panel:query:${n}`, expr: expr.replaceAll('$__rate_interval', '5m') }));
    await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: asRules }] }));

    expect(promtool(['check', 'rules', file])).toMatchObject({ status: 0, said: expect.stringContaining(`${queries.length} rules found`) });
  });

  it('finds no fault with the names and units of what is measured', async () => {
    const text = (await everyMetric().text()).split('\n').filter((line) => line.includes('waybill_'));

    expect(promtool(['check', 'metrics'], `${text.join('\n')}\n`)).toEqual({ status: 0, said: '' });
  });
});
