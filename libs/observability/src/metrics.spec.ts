import { describe, expect, it } from '@jest/globals';
import { Metrics } from './metrics.js';

const linesOf = async (metrics: Metrics, name: string): Promise<readonly string[]> =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(name));

describe('Metrics', () => {
  it('counts by labels', async () => {
    const metrics = new Metrics();
    const requests = metrics.counter({ name: 'requests_total', help: 'requests', labels: ['registry'] });

    requests.add({ registry: 'prod' });
    requests.add({ registry: 'prod' }, 2);
    requests.add({ registry: 'archive' });

    expect(await linesOf(metrics, 'waybill_requests_total')).toEqual([
      'waybill_requests_total{registry="prod"} 3',
      'waybill_requests_total{registry="archive"} 1',
    ]);
  });

  it('sorts what it observes into buckets', async () => {
    const metrics = new Metrics();
    const seconds = metrics.histogram({ name: 'step_seconds', help: 'time', labels: ['step'], buckets: [1, 5] });

    seconds.observe({ step: 'copy' }, 3);

    expect(await linesOf(metrics, 'waybill_step_seconds_bucket')).toEqual([
      'waybill_step_seconds_bucket{le="1",step="copy"} 0',
      'waybill_step_seconds_bucket{le="5",step="copy"} 1',
      'waybill_step_seconds_bucket{le="+Inf",step="copy"} 1',
    ]);
  });

  it('reads before each answer, and forgets what is no more', async () => {
    const metrics = new Metrics();
    const open = metrics.gauge({ name: 'open', help: 'open', labels: ['path'] });
    const paths = [['release'], []];
    metrics.beforeEachAnswer(async () => {
      open.clear();
      for (const path of paths.shift() ?? []) open.set({ path }, 1);
    });

    expect(await linesOf(metrics, 'waybill_open')).toEqual(['waybill_open{path="release"} 1']);
    expect(await linesOf(metrics, 'waybill_open')).toEqual([]);
  });

  it('tells a total as it was last set', async () => {
    const metrics = new Metrics();
    const ended = metrics.total({ name: 'ended_total', help: 'ended', labels: ['state'] });

    ended.set({ state: 'succeeded' }, 4);
    ended.set({ state: 'succeeded' }, 6);

    expect(await linesOf(metrics, 'waybill_ended_total')).toEqual(['waybill_ended_total{state="succeeded"} 6']);
    expect(await metrics.text()).toContain('# TYPE waybill_ended_total counter');
  });

  it('keeps the metrics of two apart', async () => {
    const described = { name: 'seen_total', help: 'seen', labels: [] } as const;
    new Metrics().counter(described).add({});
    const other = new Metrics();
    other.counter(described).add({}, 5);

    expect(await linesOf(other, 'waybill_seen_total')).toEqual(['waybill_seen_total 5']);
  });

  it('measures Node too', async () => {
    expect(await linesOf(new Metrics(), 'process_cpu_seconds_total')).toHaveLength(1);
  });
});
