import { describe, expect, it } from '@jest/globals';
import { Metrics } from '@waybill/observability';
import { ContentError, digestOf, type RepositoryName } from '@waybill/oci-model';
import type { ItemRun, TargetRun } from '@waybill/promotion';
import type { Topology } from '@waybill/topology';
import { runMetrics } from './run-metrics.js';

const repository = 'team/app' as RepositoryName;
const registry = (name: string, location: string) =>
  ({ name, role: 'prod', location, insecure: false, immutableTags: { kind: 'none' } }) as const;
const topology: Topology = {
  name: 'test',
  locations: { eu: { egress: {} }, us: { egress: {} } },
  registries: { ci: registry('ci', 'eu'), 'prod-us': registry('prod-us', 'us'), 'archive-us': registry('archive-us', 'us') },
  paths: {},
  replications: [],
  retention: [],
};
const item: ItemRun = {
  id: 'item',
  source: { registry: 'ci', repository },
  isSourceReplaced: false,
  digest: digestOf(Buffer.from('root')),
  targets: [],
};
const targetAt = (name: string): TargetRun => ({
  ...{ id: name, registry: name, isReplaced: false, repository, requirement: 'required' },
  ...{ state: 'pending', attempts: 0, isWaiting: false, tags: [] },
});
const came = (bytesCopied: number, bytesSkipped = 0) => ({ bytesCopied, bytesMounted: 0, bytesSkipped });

describe('runMetrics', () => {
  async function linesAfter(act: (watch: ReturnType<ReturnType<typeof runMetrics>>) => void, name: string): Promise<readonly string[]> {
    const metrics = new Metrics();
    act(runMetrics(metrics)(topology));
    return (await metrics.text()).split('\n').filter((line) => line.startsWith(`waybill_${name}`));
  }

  it('times each step at each registry, in seconds', async () => {
    const lines = await linesAfter((watch) => watch.stepEnded(targetAt('prod-us'), 'copy', 1_500), 'step_seconds');

    expect(lines).toContain('waybill_step_seconds_sum{registry="prod-us",step="copy"} 1.5');
  });

  it('counts bytes that several targets at a location share once for the link, and for each target whole', async () => {
    const act = (watch: ReturnType<ReturnType<typeof runMetrics>>): void => {
      watch.contentCame(item, targetAt('prod-us'), came(60, 40));
      watch.contentCame(item, targetAt('archive-us'), came(100));
    };

    expect(await linesAfter(act, 'link_bytes_total')).toEqual(['waybill_link_bytes_total{from="eu",to="us"} 100']);
    expect(await linesAfter(act, 'target_bytes_total')).toEqual([
      'waybill_target_bytes_total{registry="prod-us",how="copied"} 60',
      'waybill_target_bytes_total{registry="prod-us",how="mounted"} 0',
      'waybill_target_bytes_total{registry="prod-us",how="skipped"} 40',
      'waybill_target_bytes_total{registry="archive-us",how="copied"} 100',
      'waybill_target_bytes_total{registry="archive-us",how="mounted"} 0',
      'waybill_target_bytes_total{registry="archive-us",how="skipped"} 0',
    ]);
  });

  it('counts what is to be tried again by its cause', async () => {
    const down = new ContentError('no answer', { code: 'unreachable', operation: 'push blob', retryable: true });

    expect(await linesAfter((watch) => watch.postponed(targetAt('prod-us'), down), 'retries_total')).toEqual([
      'waybill_retries_total{registry="prod-us",cause="unreachable"} 1',
    ]);
  });
});
