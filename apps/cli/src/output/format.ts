const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1.5 MiB` */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

/** `1.234` seconds, from milliseconds. */
export function formatSeconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** `1.2 s`, from milliseconds. */
export function roundSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** `sha256:0123456789ab` */
export function shortDigest(digest: string): string {
  return digest.slice(0, digest.indexOf(':') + 13);
}
