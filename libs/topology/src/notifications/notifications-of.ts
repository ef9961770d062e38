import type { Registry, RegistryNotifications, Topology } from '../model.js';

/** How a registry is heard. */
export interface HeardRegistry {
  readonly registry: Registry;
  /** Where it is asked about what it tells: one without a location is asked from the first. */
  readonly location: string;
  /** Who is not heard for so long may have lost something. */
  readonly silenceMs: number;
  /** Name of the secret that it shows; a local one shows what it was given when it was started. */
  readonly secret: string | undefined;
  readonly ignore: NonNullable<RegistryNotifications['ignore']>;
}

const usualSilenceMs = 5 * 60_000;

/** The registries that tell what happens there: those that are declared so, and local ones. */
export function heardRegistries({ registries, locations }: Topology): readonly HeardRegistry[] {
  const [anywhere] = Object.keys(locations);
  return Object.values(registries).flatMap((registry): HeardRegistry[] => {
    const notifications = registry.notifications ?? (registry.local === undefined ? undefined : {});
    const location = registry.location ?? anywhere;
    if (notifications === undefined || location === undefined || !isInventoried(registry.role)) return [];
    const { secret, heartbeatMs: silenceMs = usualSilenceMs, ignore = {} } = notifications;
    return [{ registry, location, silenceMs, secret, ignore }];
  });
}

/** A cache holds what others do, and an upstream is not ours. */
export function isInventoried(role: Registry['role']): boolean {
  return role !== 'cache' && role !== 'upstream';
}
