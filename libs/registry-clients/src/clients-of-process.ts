import { environmentAndFolderSecrets, type SecretsConfig } from '@waybill/config';
import { RegistryClients } from './registry-clients.js';

/** As much of a logger as is written to. */
interface RequestLog {
  debug(fields: object, message: string): void;
}

/** The clients of a server process: secrets come from where its configuration says, and each request is logged when it is over. */
export function clientsOfProcess({ secrets }: { readonly secrets: SecretsConfig }, log: RequestLog): RegistryClients {
  return new RegistryClients({
    secrets: environmentAndFolderSecrets(secrets),
    client: { observe: (event) => log.debug({ ...event }, 'registry request') },
  });
}
