import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryModule, DiscoveryService, MetadataScanner, NestFactory } from '@nestjs/core';
import { verbs } from '@waybill/access';
import { loadApiConfig } from '@waybill/config';
import { silentLogger } from '@waybill/observability';
import { ApiModule } from '../api.module.js';
import { createApi } from '../create-api.js';
import { describeApi } from '../describe-api.js';
import { type AccessRule, accessRuleKey } from './access-rule.js';

interface DeclaredRoute {
  /** E.g. `GET /api/v1/keys`. */
  readonly name: string;
  readonly rule: AccessRule | undefined;
}

const config = loadApiConfig({ DATABASE_URL: 'postgresql://127.0.0.1/never' });
const api = ApiModule.with({ config, logger: silentLogger });

@Controller('planted')
class PlantedController {
  @Get()
  open(): string {
    return 'anyone reads this';
  }
}

@Module({ imports: [api, DiscoveryModule] })
class WholeApi {}

@Module({ imports: [api, DiscoveryModule], controllers: [PlantedController] })
class ApiWithOneRouteTooMany {}

/** Every route of every controller, with the rule that the guard will find. Nothing is connected to. */
async function routesOf(module: new () => unknown): Promise<DeclaredRoute[]> {
  const app = await NestFactory.create(module, { logger: false, abortOnError: false });
  try {
    const scanner = new MetadataScanner();
    return app
      .get(DiscoveryService)
      .getControllers()
      .flatMap(({ metatype, instance }) => {
        const prototype = Object.getPrototypeOf(instance) as Record<string, object>;
        return scanner.getAllMethodNames(prototype).flatMap((method) => routeOf(metatype as object, prototype[method] ?? {}));
      });
  } finally {
    await app.close();
  }
}

function routeOf(controller: object, handler: object): DeclaredRoute[] {
  const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
  if (method === undefined) return [];
  const path = [Reflect.getMetadata(PATH_METADATA, controller), Reflect.getMetadata(PATH_METADATA, handler)]
    .map(String)
    .filter((part) => part !== '/' && part !== '')
    .join('/');
  const rule = (Reflect.getMetadata(accessRuleKey, handler) ?? Reflect.getMetadata(accessRuleKey, controller)) as AccessRule | undefined;
  return [{ name: `${RequestMethod[method]} /${path}`, rule }];
}

const without = (routes: readonly DeclaredRoute[]) => routes.filter(({ rule }) => rule === undefined).map(({ name }) => name);

describe('access rules', () => {
  let routes: readonly DeclaredRoute[];

  beforeAll(async () => {
    routes = await routesOf(WholeApi);
  });

  it('are declared by every route', () => {
    expect(routes.length).toBeGreaterThanOrEqual(13);
    expect(without(routes)).toEqual([]);
  });

  it('are missed where a route declares none', async () => {
    expect(without(await routesOf(ApiWithOneRouteTooMany))).toEqual(['GET /planted']);
  });

  it('ask for verbs that a grant can hold, and leave none without a route', () => {
    const used = routes.flatMap(({ rule }) => (rule !== undefined && 'verb' in rule ? [rule.verb] : []));

    expect([...new Set(used)].sort()).toEqual([...verbs].sort());
  });

  it('let everyone see health and documentation, and nothing else', () => {
    const open = routes.filter(({ rule }) => rule !== undefined && 'public' in rule).map(({ name }) => name);

    expect(open.sort()).toEqual(['GET /api/docs/problems', 'GET /health/live', 'GET /health/ready']);
  });

  it('let registries tell what happens there, and nothing else', () => {
    const theirs = routes.filter(({ rule }) => rule !== undefined && 'registry' in rule).map(({ name }) => name);

    expect(theirs).toEqual(['POST /api/v1/registries/:name/notifications']);
  });
});

describe('the router', () => {
  let app: Awaited<ReturnType<typeof createApi>>;

  beforeAll(async () => {
    app = await createApi(config, { logger: silentLogger });
  });
  afterAll(() => app.close());

  function needsOf(rule: AccessRule): string[] {
    if ('verb' in rule) return ['bearer'];
    return 'registry' in rule ? ['registry'] : [];
  }

  it('documents what it asks for: a key where the rule names a verb', async () => {
    const { paths } = describeApi(app);
    const documented = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations as Record<string, { security?: object[] }>).map(([method, { security = [] }]) => ({
        name: `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
        needs: security.flatMap((scheme) => Object.keys(scheme)),
      })),
    );
    const declared = (await routesOf(WholeApi))
      .filter(({ name }) => !name.includes('/docs/'))
      // OpenAPI knows no parameter of many segments.
      .map(({ name, rule }) => ({ name: name.replace('/*', '/:'), needs: rule === undefined ? [] : needsOf(rule) }));

    expect(documented.sort(byName)).toEqual(declared.sort(byName));
  });
});

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : 1;
}
