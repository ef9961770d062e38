import type { Metrics } from '@waybill/observability';
import type { RequestEvent } from '@waybill/oci-registry';

/** Seconds: from an answer within one host to the commit of a large blob. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

type Measure = (registry: string, event: RequestEvent) => void;

/** A process has several sets of clients, which count together. */
const known = new WeakMap<Metrics, Measure>();

/** Counts the requests to each registry, their bytes and time; asked again of the same metrics it is the same. */
export function requestMetrics(metrics: Metrics): Measure {
  const measure = known.get(metrics) ?? measureIn(metrics);
  known.set(metrics, measure);
  return measure;
}

function measureIn(metrics: Metrics): Measure {
  const requests = metrics.counter({
    name: 'registry_requests_total',
    help: 'Requests to a registry that are over, by kind and by the answer: a status class, or the code of the error that broke it.',
    labels: ['registry', 'kind', 'answer'],
  });
  const bytes = metrics.counter({
    name: 'registry_bytes_total',
    help: 'Bytes of bodies sent to a registry and received from it.',
    labels: ['registry', 'direction'],
  });
  const seconds = metrics.histogram({
    name: 'registry_request_seconds',
    help: 'From asking for a connection to the end of the answer.',
    labels: ['registry', 'kind'],
    buckets,
  });
  return (registry, event) => {
    requests.add({ registry, kind: event.kind, answer: answerOf(event) });
    bytes.add({ registry, direction: 'sent' }, event.sentBytes);
    bytes.add({ registry, direction: 'received' }, event.receivedBytes);
    seconds.observe({ registry, kind: event.kind }, event.ms / 1000);
  };
}

function answerOf({ error, status }: RequestEvent): string {
  if (error !== undefined) return error;
  return status === undefined ? 'none' : `${Math.trunc(status / 100)}xx`;
}
