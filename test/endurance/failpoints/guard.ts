import { AsyncLocalStorage } from 'node:async_hooks';
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import type { PushBlobOptions } from '@waybill/oci-model';
import type { Database } from '@waybill/persistence';
import type { JobHandler, JobQueue } from '@waybill/queue';
import type { RegistryClients } from '@waybill/registry-clients';
import type { RunRecords } from '../../../apps/worker/src/features/run-promotion/run-records.js';
import type { Failpoints } from './failpoint.js';
import { allPorts, type PortName } from './ports.js';

/** Which step a transaction belongs to. */
const currentStep = new AsyncLocalStorage<string>();

type Method = (...args: unknown[]) => unknown;

/** Replaces methods of an object; all others are its own. */
function replacing<T extends object>(object: T, replacementOf: (name: string, method: Method) => Method | undefined): T {
  return new Proxy(object, {
    // The object itself as receiver: its private fields are on no proxy.
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function' || typeof name !== 'string') return value;
      const method: Method = (...args) => Reflect.apply(value, target, args) as unknown;
      return replacementOf(name, method) ?? method;
    },
  });
}

/** The same port, whose steps tell of themselves before and after. */
export function guarded<T extends object>(portName: PortName, port: T, failpoints: Failpoints): T {
  return replacing(port, (name, method) => (isStep(portName, name) ? asStep(`${portName}.${name}`, method, failpoints) : undefined));
}

/** The same of every object of a class, whoever makes it: for what a worker makes anew for each run. */
export function guardClass(portName: PortName, { prototype }: { readonly prototype: object }, failpoints: Failpoints): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (!isStep(portName, name)) continue;
    const method = Reflect.get(prototype, name) as Method;
    Reflect.set(prototype, name, function (this: unknown, ...args: unknown[]) {
      return asStep(`${portName}.${name}`, (...given) => method.apply(this, given), failpoints)(...args);
    });
  }
}

function isStep(portName: PortName, method: string): boolean {
  const kind = kindOf(`${portName}.${method}`);
  return kind !== undefined && kind !== 'lasts not';
}

function asStep(step: string, method: Method, failpoints: Failpoints): Method {
  return async (...args) => {
    if (failpoints.leavesOut(step)) return undefined;
    failpoints.reach(step, 'before');
    const result = await currentStep.run(step, () => method(...args));
    if (kindOf(step) === 'changes' || isSomething(result)) failpoints.reach(step, 'after');
    return result;
  };
}

/** A database whose transactions tell of themselves when all is done and nothing committed. */
export function guardedDatabase(database: Database, failpoints: Failpoints): Database {
  return replacing(database, (name, method) => {
    if (name !== 'transaction') return undefined;
    return ((work: (tables: unknown) => Promise<unknown>) =>
      method(async (tables: unknown) => {
        const result = await work(tables);
        const step = currentStep.getStore();
        if (step !== undefined && (kindOf(step) === 'changes' || isSomething(result))) failpoints.reach(step, 'during');
        return result;
      })) as Method;
  });
}

function kindOf(step: string): string | undefined {
  const [port = '', method = ''] = step.split('.');
  const kinds: Readonly<Record<string, string>> = allPorts[port as PortName];
  return kinds[method];
}

/** Whether a method that may change something has; a round that found nothing to do is no step. */
function isSomething(result: unknown): boolean {
  return result !== undefined && result !== false && result !== 0 && !(Array.isArray(result) && result.length === 0);
}

/** The rows of runs; each journal that they hand out is guarded too. */
export function guardedRecords(records: RunRecords, failpoints: Failpoints): RunRecords {
  return guarded(
    'records',
    replacing(records, (name, method) => {
      if (name !== 'journalOf') return undefined;
      return (lease) => guarded('journal', method(lease) as object, failpoints);
    }),
    failpoints,
  );
}

/** Every repository of every client. */
export function guardedClients(clients: RegistryClients, failpoints: Failpoints): RegistryClients {
  return replacing(clients, (name, method) =>
    name === 'open' ? (...args) => guardedClient(method(...args) as object, failpoints) : undefined,
  );
}

/** Every repository of a client. */
export function guardedClient<Client extends object>(client: Client, failpoints: Failpoints): Client {
  return replacing(client, (name, method) => {
    if (name !== 'repository') return undefined;
    return (repository) => guarded('store', blobsInParts(method(repository) as object, failpoints), failpoints);
  });
}

/** A blob of which the first bytes have gone is in an upload session that only this process knows. */
function blobsInParts(store: object, failpoints: Failpoints): object {
  return replacing(store, (name, method) => {
    if (name !== 'pushBlob') return undefined;
    return (blob, content, options) => {
      let hasBegun = false;
      const watched = new Transform({
        transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
          // The next chunk is asked for when this one is on its way.
          if (hasBegun) failpoints.reach('store.pushBlob', 'during');
          hasBegun = true;
          done(null, chunk);
        },
      });
      // Whichever of the two ends or breaks, so does the other.
      pipeline(content as Readable, watched, () => undefined);
      const { signal } = (options ?? {}) as PushBlobOptions;
      return watchingCancel(signal, failpoints, () => method(blob, watched, options));
    };
  });
}

/** `upload.cancel` is what a store does about its upload when it is told to break off. */
async function watchingCancel(signal: AbortSignal | undefined, failpoints: Failpoints, push: () => unknown): Promise<unknown> {
  const onAbort = (): void => failpoints.reach('upload.cancel', 'before');
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await push();
  } catch (error) {
    if (signal?.aborted === true) failpoints.reach('upload.cancel', 'after');
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Adds jobs and hands them out, each a step. */
export function guardedQueue(queue: JobQueue, failpoints: Failpoints): JobQueue {
  const guardedHandler =
    (handler: JobHandler<unknown>): JobHandler<unknown> =>
    async (payload, context) => {
      failpoints.reach('queue.job', 'before');
      await handler(payload, context);
      failpoints.reach('queue.job', 'after');
    };
  return guarded(
    'queue',
    replacing(queue, (name, method) => {
      if (name !== 'consume') return undefined;
      return (job, queueName, handler, options) => method(job, queueName, guardedHandler(handler as JobHandler<unknown>), options);
    }),
    failpoints,
  );
}
