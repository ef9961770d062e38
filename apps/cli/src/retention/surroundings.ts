import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';

/** What the commands of retention are run with. */
export interface RetentionSurroundings {
  readonly api: () => WaybillApi;
  readonly stop: AbortSignal;
  readonly run: (options: { readonly json: boolean }, command: (output: Output) => Promise<number>) => Promise<void>;
}
