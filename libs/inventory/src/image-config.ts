import { z } from 'zod';

/** Go programs write null for absent, and nothing for what they do not know. */
const text = z
  .string()
  .nullish()
  .transform((value) => (value === null || value === '' ? undefined : value));

/** What is read of an image's config (image-spec v1.1.1, config.md). */
const Config = z.object({ created: text, os: text, architecture: text, variant: text, 'os.version': text });

export type ImageConfig = z.output<typeof Config>;

/** Undefined for what is no such config. */
export function imageConfigFrom(bytes: Uint8Array): ImageConfig | undefined {
  try {
    return Config.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}
