import { readFile, stat } from 'node:fs/promises';
import { ContentError } from '@waybill/oci-model';

/** A text that may change while we run. Asked before every request. */
export interface TextSource {
  /** @throws ContentError `unauthorized` when it cannot be read */
  read(): Promise<string>;
}

const maxBytes = 1024 * 1024;

/** The text of a file, read again when the file has changed. `what` it holds is for errors. */
export function fileText(path: string, what: string): TextSource {
  let known: { readonly version: string; readonly text: string } | undefined;
  return {
    async read() {
      try {
        const { mtimeMs, size, ino } = await stat(path);
        const version = `${mtimeMs} ${size} ${ino}`;
        if (known?.version === version) return known.text;
        if (size > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
        known = { version, text: await readFile(path, 'utf8') };
        return known.text;
      } catch (cause) {
        const why = (cause as NodeJS.ErrnoException).code ?? 'see the cause';
        throw new ContentError(`${what} ${path} cannot be read: ${why}`, { code: 'unauthorized', operation: 'read credentials', cause });
      }
    },
  };
}
