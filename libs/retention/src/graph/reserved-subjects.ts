/** `sha256-<hex>` with or without suffix: the parts of a reserved tag that say what it is about. */
const reservedTag = /^(sha256|sha512)-([0-9a-f]{64}(?:[0-9a-f]{64})?)(?:[.-].*)?$/;
const longestHex = 64;

/**
 * Finds the manifests that reserved tags are about. The digest's hex part is cut to 64 characters there
 * (distribution-spec v1.1.1, "Referrers Tag Schema"), so one tag may be about several SHA-512 digests.
 */
export class ReservedSubjects {
  readonly #numbers: ReadonlyMap<string, number>;
  /** Only of digests that are longer than what a tag holds. */
  readonly #cut = new Map<string, number[]>();

  constructor(numbers: ReadonlyMap<string, number>) {
    this.#numbers = numbers;
    for (const [digest, number] of numbers) {
      if (!digest.startsWith('sha512:')) continue;
      const cut = digest.slice(0, 'sha512:'.length + longestHex);
      this.#cut.set(cut, [...(this.#cut.get(cut) ?? []), number]);
    }
  }

  /** Empty when the subject is not in the repository. */
  of(tag: string): readonly number[] {
    const [, algorithm = '', hex = ''] = reservedTag.exec(tag) ?? [];
    const whole = this.#numbers.get(`${algorithm}:${hex}`);
    return whole === undefined ? (this.#cut.get(`${algorithm}:${hex}`) ?? []) : [whole];
  }
}
