import { createHash, timingSafeEqual } from 'node:crypto';
import { Refusal } from './refusal.js';
import type { Route } from './route.js';

/** What a request wants of the registry. */
export type Permission = 'read' | 'write' | 'delete';

export interface RegistryUser {
  readonly name: string;
  readonly password: string;
  readonly may: readonly Permission[];
}

export interface AccessOptions {
  /** Who may do what, by HTTP Basic (RFC 7617). Without any the registry is open to everybody who reaches it. */
  readonly users?: readonly RegistryUser[] | undefined;
  /** Reading needs no user. */
  readonly anonymousRead?: boolean | undefined;
}

interface KnownUser {
  readonly secret: Buffer;
  readonly may: readonly Permission[];
}

/** Decides who may do what. */
export class Access {
  readonly #users: ReadonlyMap<string, KnownUser> | undefined;
  readonly #anonymousRead: boolean;

  constructor({ users, anonymousRead = false }: AccessOptions) {
    this.#users = users && new Map(users.map(({ name, password, may }) => [name, { secret: hashOf(password), may }]));
    this.#anonymousRead = anonymousRead;
  }

  /** @throws Refusal `UNAUTHORIZED`, `DENIED` */
  check(authorization: string | undefined, permission: Permission): void {
    if (this.#users === undefined) return;
    if (authorization === undefined && permission === 'read' && this.#anonymousRead) return;
    const user = this.#authenticate(authorization);
    if (user === undefined) {
      throw new Refusal('UNAUTHORIZED', 'a user and a password are needed', {
        headers: { 'www-authenticate': 'Basic realm="Waybill local registry", charset="UTF-8"' },
      });
    }
    if (!user.may.includes(permission)) throw new Refusal('DENIED', `this user may not ${permission}`);
  }

  #authenticate(authorization: string | undefined): KnownUser | undefined {
    const encoded = /^basic +([a-z0-9+/]+=*)$/i.exec(authorization ?? '')?.[1];
    if (encoded === undefined) return undefined;
    const [name = '', ...password] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
    const user = this.#users?.get(name);
    const secret = hashOf(password.join(':'));
    return user !== undefined && timingSafeEqual(user.secret, secret) ? user : undefined;
  }
}

/** Which permission a request needs; giving an upload up is part of writing. */
export function permissionFor(method: string, kind: Route['kind']): Permission {
  if (method === 'GET' || method === 'HEAD') return kind === 'upload' ? 'write' : 'read';
  return method === 'DELETE' && kind !== 'upload' ? 'delete' : 'write';
}

/** Of one length whatever the password's, as the comparison needs it. */
function hashOf(password: string): Buffer {
  return createHash('sha256').update(password).digest();
}
