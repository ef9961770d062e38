import { ContentError } from '@waybill/oci-model';
import type { CredentialProvider, ProvidedCredentials } from './credentials.js';
import { fileText, type TextSource } from './text-source.js';

/** A file with `username:password` on its only line. Read again when it has changed. */
export function fileCredentials(path: string): CredentialProvider {
  return new FileCredentials(path, fileText(path, 'the file with credentials'));
}

class FileCredentials implements CredentialProvider {
  readonly #path: string;
  readonly #source: TextSource;

  constructor(path: string, source: TextSource) {
    this.#path = path;
    this.#source = source;
  }

  async get(): Promise<ProvidedCredentials> {
    const line = (await this.#source.read()).replace(/\r?\n$/, '');
    // RFC 7617, section 2: the first colon divides, and neither part holds a control character.
    const colon = line.indexOf(':');
    if (colon < 1 || colon === line.length - 1 || /\p{Cc}/u.test(line)) {
      throw new ContentError(`the file with credentials ${this.#path} does not hold one line of the form username:password`, {
        code: 'unauthorized',
        operation: 'read credentials',
      });
    }
    return { credentials: { kind: 'basic', username: line.slice(0, colon), password: line.slice(colon + 1) } };
  }

  forget(): void {
    // Every change of the file is seen anyway.
  }
}
