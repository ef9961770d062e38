/** `sha256-<hex>` with or without suffix: the parts of a reserved tag that say what it is about. */
const reservedTag = /^(sha256|sha512)-([0-9a-f]{64}(?:[0-9a-f]{64})?)(?:[.-].*)?$/;
const longestHex = 64;

/**
 * Finds the manifests that reserved tags are about. The digest's hex part is cut to 64 characters there
 * (distribution-spec v1.1.1, "Referrers Tag Schema"), so one tag may be about several SHA-512 digests.
 */
export class ReservedSubjects {
  readonly #numbers: ReadonlyMap<string, number>;
  /** Only of digests that are longer than what a tag holds; most repositories have none. */
  #cut: ReadonlyMap<string, readonly number[]> | undefined;

  constructor(numbers: ReadonlyMap<string, number>) {
    this.#numbers = numbers;
  }

  /** Empty when the subject is not in the repository. */
  of(tag: string): readonly number[] {
    const [, algorithm = '', hex = ''] = reservedTag.exec(tag) ?? [];
    const whole = this.#numbers.get(`${algorithm}:${hex}`);
    if (whole !== undefined) return [whole];
    this.#cut ??= cutDigests(this.#numbers);
    return this.#cut.get(`${algorithm}:${hex}`) ?? [];
  }
}

function cutDigests(numbers: ReadonlyMap<string, number>): ReadonlyMap<string, readonly number[]> {
  const byCut = new Map<string, number[]>();
  for (const [digest, number] of numbers) {
    if (!digest.startsWith('sha512:')) continue;
    const cut = digest.slice(0, 'sha512:'.length + longestHex);
    const alike = byCut.get(cut);
    if (alike === undefined) byCut.set(cut, [number]);
    else alike.push(number);
  }
  return byCut;
}
