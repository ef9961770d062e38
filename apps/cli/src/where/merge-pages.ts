import type { Artifact } from '@waybill/contracts/http';

type Registry = Artifact['registries'][number];

/** The first page names every registry; the others bring more repositories of some. */
export async function mergePages(pages: AsyncIterable<Artifact>): Promise<Artifact> {
  let whole: Artifact | undefined;
  for await (const { next: _next, ...page } of pages) whole = whole === undefined ? page : merge(whole, page);
  if (whole === undefined) throw new Error('an artifact has at least one page');
  return whole;
}

function merge(whole: Artifact, page: Artifact): Artifact {
  const known = new Set(whole.registries.map(({ registry }) => registry));
  return {
    ...whole,
    children: whole.children.length > 0 ? whole.children : page.children,
    parents: unique([...whole.parents, ...page.parents]),
    referrers: unique([...whole.referrers, ...page.referrers]),
    registries: [
      ...whole.registries.map((registry) => {
        const more = page.registries.find((one) => one.registry === registry.registry);
        return more === undefined ? registry : mergeRegistry(registry, more);
      }),
      // A topology that was applied between two pages.
      ...page.registries.filter(({ registry }) => !known.has(registry)),
    ],
  };
}

/** One place that has it is enough; one that could not be asked keeps the others from meaning that it is absent. */
function mergeRegistry(one: Registry, other: Registry): Registry {
  const { reason: _reason, ...facts } = one;
  const verdict = weightOf(one) >= weightOf(other) ? one : other;
  const repositories = [
    ...new Map([...one.repositories, ...other.repositories].map((place) => [place.repository, place] as const)).values(),
  ];
  return { ...facts, state: verdict.state, ...(verdict.reason === undefined ? {} : { reason: verdict.reason }), repositories };
}

function weightOf({ state, repositories }: Registry): number {
  if (repositories.length === 0) return 0;
  return { absent: 1, unknown: 2, present: 3 }[state];
}

function unique<Content extends { readonly digest: string }>(contents: readonly Content[]): Content[] {
  return [...new Map(contents.map((content) => [content.digest, content])).values()];
}
