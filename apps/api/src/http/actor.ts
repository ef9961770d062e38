import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type ActionScope, type Actor, allows, type Verb } from '@waybill/access';
import type { Request } from 'express';
import { ApiError } from './api-error.js';

/** Who makes a request, as the guard found out. */
const actors = new WeakMap<Request, Actor>();

export function rememberActor(request: Request, actor: Actor): void {
  actors.set(request, actor);
}

export function actorOf(request: Request): Actor | undefined {
  return actors.get(request);
}

/** The authenticated actor of a route that requires a verb. */
export const CurrentActor = createParamDecorator((_data: unknown, context: ExecutionContext): Actor => {
  const actor = actorOf(context.switchToHttp().getRequest<Request>());
  if (actor === undefined) throw new Error('a route that requires no verb asked who is calling');
  return actor;
});

/** @throws ApiError `forbidden`, which says what is not granted */
export function authorise(actor: Actor, verb: Verb, scope: ActionScope): void {
  if (allows(actor.grants, verb, scope)) return;
  const path = scope.path === undefined ? '' : ` along path "${scope.path}"`;
  const repository = scope.repository === undefined ? '' : ` of repository "${scope.repository}"`;
  throw new ApiError(`this key may not do ${verb}${path}${repository}`, { code: 'forbidden' });
}
