import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { spawnEnvironment } from './spawn-environment.js';

/** The path of an executable in the folders of a search path, by default the PATH; `undefined` when there is none. */
export async function findProgram(name: string, searchPath = spawnEnvironment()['PATH'] ?? ''): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter)) {
    const path = join(folder, name);
    const isExecutable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable) return path;
  }
  return undefined;
}
