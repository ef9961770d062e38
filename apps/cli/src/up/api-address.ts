import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `waybill up` keeps its data here unless told otherwise. */
export const defaultDataFolder = '.waybill';

const fileName = 'api.url';
const loopback = /^http:\/\/127\.0\.0\.1:(\d{1,5})$/;

/** Keeps where the API of a data folder answers: for the next start's port, and for commands in the same place. */
export async function rememberApiAddress(dataDir: string, url: string): Promise<void> {
  await writeFile(join(dataDir, fileName), `${url}\n`);
}

/** Where the API of a data folder answers or answered last; undefined when none ever did. */
export function recallApiAddress(dataDir: string): { readonly url: string; readonly port: number } | undefined {
  const url = readIfThere(join(dataDir, fileName))?.trim();
  const port = url === undefined ? undefined : loopback.exec(url)?.[1];
  return url === undefined || port === undefined ? undefined : { url, port: Number(port) };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // A courtesy: without it the documented default holds.
    return undefined;
  }
}
