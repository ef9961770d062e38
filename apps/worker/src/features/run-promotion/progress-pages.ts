import type { BlobProgress, CopyProgress, TargetProgress } from '@waybill/contracts/http';

export interface ProgressNews {
  readonly promotionId: string;
  readonly location: string;
  readonly blobs: readonly BlobProgress[];
  readonly targets: readonly TargetProgress[];
}

/** One page under way. */
interface Page {
  bytes: number;
  readonly blobs: BlobProgress[];
  readonly targets: TargetProgress[];
}

/** Each as JSON of at most `maxBytes`, every one complete by itself. News that is larger alone is left out. */
export function progressPages({ promotionId, location, blobs, targets }: ProgressNews, maxBytes: number): string[] {
  const empty = bytesOf({ promotionId, location, blobs: [], targets: [] } satisfies CopyProgress);
  const pages: Page[] = [];
  const add = (piece: BlobProgress | TargetProgress, put: (page: Page) => void): void => {
    const bytes = bytesOf(piece) + 1; // a comma
    if (empty + bytes > maxBytes) return;
    let page = pages.at(-1);
    if (page === undefined || page.bytes + bytes > maxBytes) {
      page = { bytes: empty, blobs: [], targets: [] };
      pages.push(page);
    }
    page.bytes += bytes;
    put(page);
  };
  for (const target of targets) add(target, (page) => page.targets.push(target));
  for (const blob of blobs) add(blob, (page) => page.blobs.push(blob));
  return pages.map((page) => JSON.stringify({ promotionId, location, blobs: page.blobs, targets: page.targets } satisfies CopyProgress));
}

function bytesOf(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}
