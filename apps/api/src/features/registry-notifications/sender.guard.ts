import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { ApiError } from '../../http/api-error.js';
import { type Sender, Senders } from './senders.js';

const senders = new WeakMap<Request, Sender>();

/** Lets in the registry that the address names, before anything of its body is read. */
@Injectable()
export class SenderGuard implements CanActivate {
  readonly #senders: Senders;

  constructor(known: Senders) {
    this.#senders = known;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const name = request.params['name'];
    const sender = await this.#senders.find(typeof name === 'string' ? name : '', shownBy(request));
    if (sender === undefined) {
      throw new ApiError('no registry of this name shows this secret with its notifications', { code: 'unauthenticated' });
    }
    senders.set(request, sender);
    return true;
  }
}

/** The registry that the guard let in. */
export const CurrentSender = createParamDecorator((_data: unknown, context: ExecutionContext): Sender => {
  const sender = senders.get(context.switchToHttp().getRequest<Request>());
  if (sender === undefined) throw new Error('a route without the guard of senders asked who is sending');
  return sender;
});

/** A bearer token, or `username:password` as a URL with both makes an HTTP client send it. */
function shownBy({ headers }: Request): string {
  const [, scheme = '', value = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  return scheme.toLowerCase() === 'basic' ? Buffer.from(value, 'base64').toString('utf8') : value;
}
