import { loadWorkerConfig } from '@waybill/config';
import { uuidV7 } from '@waybill/kernel';
import { IdempotencyKeys, Pauses, PromotionControl } from '@waybill/persistence';
import { buildImage, pushBuilt, startTcpProxy, type TcpProxy, until } from '@waybill/testing';
import { type Logged, logged } from './infrastructure/logged.spec-helper.js';
import { type Addresses, oneTag, RecordedPromotions, repository, topologyAt } from './recorded-promotions.spec-helper.js';
import { RegistryUnderTest } from './registry-under-test.spec-helper.js';
import { type RunningWorker, startWorker } from './start-worker.js';

/** What is promoted: one layer, large enough to be stopped in the middle. */
export const image = buildImage({ layers: 1, layerBytes: 512 * 1024 });
/** The shortest that the configuration takes. */
const leaseMs = 5_000;

const accepted = () => ({ status: 202, headers: {}, body: {} });

/** What the registries are, and a worker that serves them. */
export class Stage {
  readonly log: Logged = logged();
  readonly ended: (() => Promise<void>)[] = [];
  #ci: RegistryUnderTest | undefined;
  #toCi: TcpProxy | undefined;
  #recorded: RecordedPromotions | undefined;

  async open(targets: Addresses): Promise<void> {
    this.#ci = await RegistryUnderTest.start();
    await pushBuilt(this.ci.repository(repository), image);
    await this.ci.repository(repository).putTag(oneTag, image.manifest);
    this.#toCi = await startTcpProxy(this.ci.port);
    this.#recorded = await RecordedPromotions.open(topologyAt({ ci: `http://127.0.0.1:${this.#toCi.port}`, ...targets }));
  }

  get ci(): RegistryUnderTest {
    if (this.#ci === undefined) throw new Error('the stage is not open');
    return this.#ci;
  }

  /** Between the worker and CI. */
  get toCi(): TcpProxy {
    if (this.#toCi === undefined) throw new Error('the stage is not open');
    return this.#toCi;
  }

  get recorded(): RecordedPromotions {
    if (this.#recorded === undefined) throw new Error('the stage is not open');
    return this.#recorded;
  }

  get environment(): Readonly<Record<string, string>> {
    const { url, queueUrl } = this.recorded.server;
    return {
      WAYBILL_LOG_LEVEL: 'trace',
      WAYBILL_WORKER_DRAIN_MS: '0',
      WAYBILL_WORKER_DISPATCH_LEASE_MS: String(leaseMs),
      DATABASE_URL: url,
      WAYBILL_QUEUE_DATABASE_URL: queueUrl,
    };
  }

  async work(): Promise<RunningWorker> {
    const worker = await startWorker({ config: loadWorkerConfig(this.environment), logger: this.log.logger });
    this.ended.push(() => worker.app.close());
    return worker;
  }

  /** As the API does it. */
  cancel(id: string): Promise<void> {
    return new PromotionControl(this.recorded.database).cancel(id, { by: this.recorded.principalId, reason: 'spec' });
  }

  async retry(id: string): Promise<void> {
    const { database, principalId: by } = this.recorded;
    await new PromotionControl(database).retry(id, { by }, { ...(await this.#claim('POST /retry')), answerOf: accepted });
  }

  /** Of the path; gives its id. */
  async pause(): Promise<string> {
    const { database, principalId: by } = this.recorded;
    const pause = { scope: 'path', name: 'release', id: uuidV7.next(), by, reason: 'spec' } as const;
    await new Pauses(database).create(pause, { ...(await this.#claim('POST /pauses')), answerOf: accepted });
    return pause.id;
  }

  async resume(pause: string): Promise<void> {
    await new Pauses(this.recorded.database).resume(pause, { by: this.recorded.principalId });
  }

  async #claim(route: string) {
    const request = { principalId: this.recorded.principalId, route, key: uuidV7.next(), hash: new Uint8Array(32) };
    const claim = await new IdempotencyKeys(this.recorded.database).claim(request);
    if (claim.claim !== 'ours') throw new Error(`the claim is ${claim.claim}`);
    return { request, token: claim.token };
  }

  /** The row alone, as when its notification is lost. */
  async cancelInSilence(id: string): Promise<void> {
    await this.recorded.database.tables.promotionCancellation.create({
      data: { promotionId: id, requestedBy: this.recorded.principalId },
    });
  }

  async untilOver(id: string): Promise<string> {
    await until('the promotion is over', async () => (await this.recorded.promotion(id)).finishedAt !== null);
    return (await this.recorded.promotion(id)).state;
  }

  async outcomes(id: string): Promise<Record<string, string | null>> {
    const { items } = await this.recorded.promotion(id);
    return Object.fromEntries(items.flatMap((item) => item.targets.map(({ registry, outcome }) => [registry.name, outcome])));
  }

  async openEffects(id: string): Promise<number> {
    return this.recorded.database.tables.effect.count({ where: { promotionId: id, state: 'intended' } });
  }

  /** Nobody holds a lease on anything. */
  async leases(): Promise<number> {
    const { tables } = this.recorded.database;
    const dispatches = await tables.dispatch.count({ where: { state: 'leased' } });
    return dispatches + (await tables.tagOrder.count({ where: { leaseExpiresAt: { not: null } } }));
  }

  async close(): Promise<void> {
    for (const end of this.ended.splice(0).reverse()) await end();
    await this.#recorded?.close();
    await this.#toCi?.stop();
    await this.#ci?.stop();
  }
}

/** The source gives half of a layer, and nothing more: the target's upload stays open. */
export function stallLayer(source: RegistryUnderTest): void {
  source.fault = ({ method, route }) =>
    method === 'GET' && route.kind === 'blob' ? { interrupt: { afterBytes: 256 * 1024, by: 'stall', of: 'answer' } } : undefined;
}
