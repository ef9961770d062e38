import type { Metrics } from '@waybill/observability';
import type { NextFunction, Request, Response } from 'express';

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Counts and times every request by its route, not by its address: addresses are without number. */
export function measureRequests(metrics: Metrics) {
  const seconds = metrics.histogram({
    name: 'http_request_seconds',
    help: 'From the head of a request to the end of its answer, by method, route and status.',
    labels: ['method', 'route', 'status'],
    buckets,
  });
  return (request: Request, response: Response, next: NextFunction): void => {
    const started = performance.now();
    response.once('close', () => {
      const labels = { method: request.method, route: routeOf(request), status: String(response.statusCode) };
      seconds.observe(labels, (performance.now() - started) / 1000);
    });
    next();
  };
}

/** Of Express, which notes the route that matched. */
function routeOf({ route }: Request): string {
  const path = (route as { readonly path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? path : 'none';
}
