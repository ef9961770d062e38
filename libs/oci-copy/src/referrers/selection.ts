import type { Digest } from '@waybill/oci-model';
import type { ReferrerRules, ReferrerSelection } from '../options.js';

/** Which referrers are brought, and which of them a target cannot do without. */
export class Selection {
  readonly #rules: Required<ReferrerRules>;

  constructor(selection: ReferrerSelection) {
    const rules: ReferrerRules = typeof selection === 'object' ? selection : { include: selection === 'all' ? 'all' : [] };
    this.#rules = { include: rules.include ?? 'all', required: rules.required ?? [], pinned: rules.pinned ?? [] };
  }

  get isEmpty(): boolean {
    const { include, required, pinned } = this.#rules;
    return include.length + required.length + pinned.length === 0;
  }

  /** Is there anything that must be found? Then not to know what there is, is a failure. */
  get demands(): boolean {
    return this.#rules.required.length + this.#rules.pinned.length > 0;
  }

  includes(referrer: Digest, types: readonly string[]): boolean {
    return this.requires(referrer, types) || matches(this.#rules.include, types);
  }

  requires(referrer: Digest, types: readonly string[]): boolean {
    return this.#rules.pinned.includes(referrer) || matches(this.#rules.required, types);
  }

  /** May something be included whose listing says that it is of this type? What says nothing may. */
  mayInclude(referrer: Digest, listedType: string | undefined): boolean {
    return listedType === undefined || listedType === '' || this.includes(referrer, [listedType]);
  }

  /** What is demanded and not among what was found, in words. */
  missingFrom(found: readonly { readonly referrer: Digest; readonly types: readonly string[] }[]): string[] {
    const { required, pinned } = this.#rules;
    const types = required === 'all' ? [] : required.filter((type) => !found.some((each) => each.types.includes(type)));
    const digests = pinned.filter((digest) => !found.some((each) => each.referrer === digest));
    return [...types.map((type) => `one of type "${type}"`), ...digests];
  }
}

function matches(wanted: 'all' | readonly string[], types: readonly string[]): boolean {
  return wanted === 'all' || types.some((type) => wanted.includes(type));
}
