import type { CreatePromotion } from '@waybill/contracts/http';

/** What is said of a promotion on the command line. */
export interface RequestOptions {
  readonly path: string;
  readonly tag?: readonly string[];
  readonly reason?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly externalRef?: string;
}

/** The request for these sources. The API says what is wrong with it, and where. */
export function requestOf(sources: readonly string[], options: RequestOptions): CreatePromotion {
  const { path, tag, reason, label, externalRef } = options;
  return {
    path,
    items: sources.map((source) => ({
      source,
      ...(tag === undefined ? {} : { tags: [...tag] as CreatePromotion['items'][number]['tags'] }),
    })),
    ...(reason === undefined ? {} : { reason }),
    ...(label === undefined ? {} : { labels: { ...label } }),
    ...(externalRef === undefined ? {} : { externalRef }),
  };
}
