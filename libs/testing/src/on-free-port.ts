import { EmbeddedError, findFreePort } from '@waybill/embedded';

const tries = 5;

/** Starts a server on a port that was free a moment ago; another one when somebody was faster to take it. */
export async function onFreePort<Server>(
  start: (port: number) => Promise<Server>,
): Promise<{ readonly server: Server; readonly port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort();
    try {
      return { server: await start(port), port };
    } catch (error) {
      const isLostRace = error instanceof EmbeddedError && error.code === 'port-unavailable';
      if (!isLostRace || attempt === tries) throw error;
    }
  }
}
