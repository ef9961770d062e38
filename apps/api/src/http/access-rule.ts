import { SetMetadata } from '@nestjs/common';
import type { Verb } from '@waybill/access';

/** Who may call a route. A route without a rule is refused, and a test finds it. */
export type AccessRule = { readonly verb: Verb } | { readonly registry: true } | { readonly public: true };

export const accessRuleKey = 'waybill:access-rule';

/** Only keys that hold the verb; the route checks path and repository itself. */
export const Requires = (verb: Verb) => SetMetadata(accessRuleKey, { verb } satisfies AccessRule);

/** Registries alone, by secrets of their own: a guard of the route’s own asks for them. */
export const ForRegistries = () => SetMetadata(accessRuleKey, { registry: true } satisfies AccessRule);

/** Everyone. */
export const Public = () => SetMetadata(accessRuleKey, { public: true } satisfies AccessRule);
