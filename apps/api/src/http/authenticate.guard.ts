import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { allows } from '@waybill/access';
import { ApiKeys } from '@waybill/persistence';
import type { Request } from 'express';
import { type AccessRule, accessRuleKey } from './access-rule.js';
import { rememberActor } from './actor.js';
import { ApiError } from './api-error.js';

/** Lets in who presents a key that holds the route's verb. */
@Injectable()
export class AuthenticateGuard implements CanActivate {
  readonly #reflector: Reflector;
  readonly #keys: ApiKeys;

  constructor(reflector: Reflector, keys: ApiKeys) {
    this.#reflector = reflector;
    this.#keys = keys;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const rule = this.#reflector.getAllAndOverride<AccessRule | undefined>(accessRuleKey, [context.getHandler(), context.getClass()]);
    if (rule === undefined) throw new ApiError('this route declares no access rule', { code: 'forbidden' });
    if (!('verb' in rule)) return true;
    const request = context.switchToHttp().getRequest<Request>();
    const actor = await this.#keys.authenticate(bearerToken(request));
    if (actor === undefined) throw new ApiError('the request carries no valid API key', { code: 'unauthenticated' });
    rememberActor(request, actor);
    if (!allows(actor.grants, rule.verb)) throw new ApiError(`this key may not do ${rule.verb}`, { code: 'forbidden' });
    return true;
  }
}

/** Empty when the request carries none. */
export function bearerToken(request: Request): string {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}
