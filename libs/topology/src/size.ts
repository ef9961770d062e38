const units: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** `512B`, `200MiB`, `500GiB` or `2TB` in bytes; undefined for anything else, and for what a number cannot hold exactly. */
export function parseSize(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,9})([A-Za-z]{1,3})$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  const bytes = factor === undefined ? undefined : Number(digits) * factor;
  return bytes !== undefined && Number.isSafeInteger(bytes) ? bytes : undefined;
}
