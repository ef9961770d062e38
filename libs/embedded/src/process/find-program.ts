import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { spawnEnvironment } from './spawn-environment.js';

/** The path of an executable on the PATH; `undefined` when there is none. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of spawnEnvironment()['PATH']?.split(delimiter) ?? []) {
    const path = join(folder, name);
    const isExecutable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable) return path;
  }
  return undefined;
}
