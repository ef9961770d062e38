import { createInterface } from 'node:readline';
import type { Promotion } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import { Interruption } from '../interruption.js';
import type { Output } from '../output/console-output.js';
import { followPromotion } from './follow-promotion.js';

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined;
  /** A person's keyboard; absent where nobody can be asked. */
  readonly keyboard?: NodeJS.ReadableStream | undefined;
}

/**
 * Follows a promotion to its end. Ctrl-C at a terminal asks whether it shall go on alone or be cancelled;
 * elsewhere it goes on alone. A second Ctrl-C leaves at once.
 */
export async function followOrAsk(api: WaybillApi, id: string, { signal, keyboard }: FollowOptions, output: Output): Promise<Promotion> {
  try {
    return await followPromotion(api, id, output, signal);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    const mayAsk = keyboard !== undefined && output.people.isTTY === true && isCtrlC(signal.reason);
    if (mayAsk && (await wantsToCancel(keyboard, output))) return await cancelAndFollow(api.afterwards(), id, output);
    output.error(`stopped waiting; the promotion goes on. Follow it with: waybill status ${id} --watch`);
    throw error;
  }
}

async function cancelAndFollow(api: WaybillApi, id: string, output: Output): Promise<Promotion> {
  await api.cancelPromotion(id, {});
  output.line('workers are stopping what is under way');
  return followPromotion(api, id, output);
}

function isCtrlC(reason: unknown): boolean {
  return reason instanceof Interruption && reason.signal === 'SIGINT';
}

/** Whatever is not clearly a wish to cancel leaves the promotion alone: another Ctrl-C, the end of the input, a typing error. */
function wantsToCancel(keyboard: NodeJS.ReadableStream, output: Output): Promise<boolean> {
  const asking = createInterface({ input: keyboard, output: output.people as NodeJS.WritableStream, terminal: true });
  return new Promise((resolve) => {
    asking.once('close', () => resolve(false));
    // In a terminal's raw mode Ctrl-C is a key.
    asking.once('SIGINT', () => asking.close());
    asking.question('\nleave the promotion running, or cancel it? [L/c] ', (answer) => {
      resolve(/^c(?:ancel)?$/i.test(answer.trim()));
      asking.close();
    });
  });
}
