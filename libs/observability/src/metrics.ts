import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** One value for each label; every value comes from a closed or small set, since each combination is a series of its own. */
export type Labels<Label extends string> = Readonly<Record<Label, string>>;

export interface MetricDescription<Label extends string> {
  /** Without the prefix `waybill_`; with its unit, and `_total` for what only grows. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
}

/** Only grows, and begins at 0 with the process. */
export interface CounterMetric<Label extends string> {
  add(labels: Labels<Label>, by?: number): void;
}

export interface HistogramMetric<Label extends string> {
  observe(labels: Labels<Label>, value: number): void;
}

/** Is what it was last set to: of a gauge what is now, of a total what was counted elsewhere. */
export interface GaugeMetric<Label extends string> {
  set(labels: Labels<Label>, value: number): void;
  /** Forgets every series: unknown is not 0. */
  clear(): void;
}

const prefix = 'waybill_';

/** What one process measures, for Prometheus: the metrics of its parts, and those of Node itself. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #readers: (() => Promise<void>)[] = [];

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  counter<Label extends string>(description: MetricDescription<Label>): CounterMetric<Label> {
    const counter = new Counter(this.#configurationOf(description));
    return { add: (labels, by = 1) => counter.inc({ ...labels }, by) };
  }

  /** `buckets`: upper bounds, in the unit of the name. */
  histogram<Label extends string>(description: MetricDescription<Label> & { readonly buckets: readonly number[] }): HistogramMetric<Label> {
    const histogram = new Histogram({ ...this.#configurationOf(description), buckets: [...description.buckets] });
    return { observe: (labels, value) => histogram.observe({ ...labels }, value) };
  }

  gauge<Label extends string>(description: MetricDescription<Label>): GaugeMetric<Label> {
    const gauge = new Gauge(this.#configurationOf(description));
    return { set: (labels, value) => gauge.set({ ...labels }, value), clear: () => gauge.reset() };
  }

  /** Only grows, but is counted elsewhere, where it outlives this process. */
  total<Label extends string>(description: MetricDescription<Label>): GaugeMetric<Label> {
    const counter = new Counter(this.#configurationOf(description));
    const set = (labels: Labels<Label>, value: number): void => {
      counter.remove({ ...labels });
      counter.inc({ ...labels }, value);
    };
    return { set, clear: () => counter.reset() };
  }

  /** `read` sets gauges and totals, before each answer; it must not reject. */
  beforeEachAnswer(read: () => Promise<void>): void {
    this.#readers.push(read);
  }

  /** In the text format that `contentType` names. */
  async text(): Promise<string> {
    await Promise.all(this.#readers.map((read) => read()));
    return await this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #configurationOf<Label extends string>({ name, help, labels }: MetricDescription<Label>) {
    return { name: prefix + name, help, labelNames: [...labels], registers: [this.#registry] };
  }
}
