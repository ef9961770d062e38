import { environmentAndFolderSecrets, type SecretsConfig } from '@waybill/config';
import type { Metrics } from '@waybill/observability';
import { RegistryClients } from './registry-clients.js';
import { requestMetrics } from './request-metrics.js';

/** As much of a logger as is written to. */
interface RequestLog {
  debug(fields: object, message: string): void;
}

/**
 * The clients of a server process: secrets come from where its configuration says, and each request is logged and
 * measured when it is over.
 */
export function clientsOfProcess({ secrets }: { readonly secrets: SecretsConfig }, log: RequestLog, metrics: Metrics): RegistryClients {
  const measure = requestMetrics(metrics);
  return new RegistryClients({
    secrets: environmentAndFolderSecrets(secrets),
    observe: (registry, event) => {
      log.debug({ registry, ...event }, 'registry request');
      measure(registry, event);
    },
  });
}
